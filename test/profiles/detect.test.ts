import test from 'ava';
import { detectPaths, detectProfiles, type Evidence } from '../../src/profiles/detect.ts';
import { profileSchema } from '../../src/profiles/schema.ts';

const NOTHING: Evidence = {
  processes: [],
  paths: new Set(),
  packages: new Set(),
  services: new Set(),
  ports: [],
};

const web = profileSchema.parse({
  name: 'web',
  detect: { process: 'nginx', path: '/usr/sbin/nginx', package: 'nginx-light', service: 'nginx', port: [80, '53/udp'] },
});
const was = profileSchema.parse({
  name: 'was',
  detect: { process: { name: 'java', argument: 'WsServer' }, path: ['/usr/sbin/nginx', '/opt/IBM'] },
});

test('nothing is found where nothing was seen', (t) => {
  t.deepEqual(detectProfiles([web, was], NOTHING), []);
});

test('any one thing is enough, and each is told', (t) => {
  const cases: [Partial<Evidence>, string][] = [
    [{ processes: [{ name: 'nginx', args: 'nginx: master process' }] }, 'process nginx'],
    [{ paths: new Set(['/usr/sbin/nginx', '/opt']) }, '/usr/sbin/nginx'],
    [{ packages: new Set(['nginx-light']) }, 'package nginx-light'],
    [{ services: new Set(['nginx']) }, 'service nginx'],
    [{ ports: [{ port: 53, protocol: 'udp' }] }, 'port 53/udp'],
  ];
  for (const [seen, reason] of cases) {
    const [found, ...more] = detectProfiles([web], { ...NOTHING, ...seen });
    t.deepEqual(found?.reasons, [reason]);
    t.is(found?.running, reason.startsWith('process'));
    t.deepEqual(more, []);
  }
});

test('a port of another protocol, and a name that only begins alike, are somebody else', (t) => {
  const seen: Evidence = {
    ...NOTHING,
    processes: [{ name: 'nginx-helper', args: '' }],
    packages: new Set(['nginx']),
    ports: [
      { port: 53, protocol: 'tcp' },
      { port: 80, protocol: 'udp' },
    ],
  };
  t.deepEqual(detectProfiles([web], seen), []);
});

test('one java is told from another by its arguments', (t) => {
  const java = (args: string): Evidence => ({ ...NOTHING, processes: [{ name: 'java', args }] });
  t.deepEqual(detectProfiles([was], java('java -jar shop.jar')), []);
  t.is(detectProfiles([was], java('java com.ibm.ws.runtime.WsServer /x')).length, 1);
});

test('a name longer than the kernel keeps is compared as the kernel keeps it', (t) => {
  const long = profileSchema.parse({ name: 'long', detect: { process: 'systemd-resolved-daemon' } });
  const seen = { ...NOTHING, processes: [{ name: 'systemd-resolve', args: '' }] };
  t.is(detectProfiles([long], seen).length, 1);
});

test('the paths to look for are named once', (t) => {
  t.deepEqual(detectPaths([web, was]), ['/usr/sbin/nginx', '/opt/IBM']);
});
