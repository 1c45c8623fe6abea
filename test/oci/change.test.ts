import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { applyChanges, parseChange } from '../../src/oci/change.ts';
import type { ExecutionConfig } from '../../src/oci/spec.ts';

/** The config after these changes. */
function changed(texts: readonly string[], config: ExecutionConfig = {}): ExecutionConfig | undefined {
  const image = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [] }, config };
  return applyChanges(image, texts.map(parseChange)).config;
}

const RESULTS: readonly (readonly [text: string, config: ExecutionConfig])[] = [
  ['CMD ["a","b c"]', { Cmd: ['a', 'b c'] }],
  ['CMD=["a"]', { Cmd: ['a'] }],
  ['  cmd   echo "a  b" ', { Cmd: ['/bin/sh', '-c', 'echo "a  b"'] }],
  ['CMD ["a",', { Cmd: ['/bin/sh', '-c', '["a",'] }],
  ['CMD ["a", 1]', { Cmd: ['/bin/sh', '-c', '["a", 1]'] }],
  ['CMD []', { Cmd: [] }],
  ['ENTRYPOINT /e x', { Entrypoint: ['/bin/sh', '-c', '/e x'], Cmd: [] }],
  // podman reads these as one value; a Dockerfile, which the words are from, does not.
  ['ENV A=1 B="2 3" C=\'4 "\' D=5\\ 6', { Env: ['A=1', 'B=2 3', 'C=4 "', 'D=5 6'] }],
  ['ENV A the whole  rest', { Env: ['A=the whole  rest'] }],
  ['ENV A=1 A=2', { Env: ['A=2'] }],
  ['ENV=A=x=y', { Env: ['A=x=y'] }],
  ['ENV A=', { Env: ['A='] }],
  ['EXPOSE 80 53/udp', { ExposedPorts: { '80/tcp': {}, '53/udp': {} } }],
  ['LABEL a="b c" d=e', { Labels: { a: 'b c', d: 'e' } }],
  ['LABEL "a b"=c', { Labels: { 'a b': 'c' } }],
  ['STOPSIGNAL SIGTERM', { StopSignal: 'SIGTERM' }],
  ['STOPSIGNAL term', { StopSignal: 'SIGTERM' }],
  ['STOPSIGNAL=15', { StopSignal: '15' }],
  ['STOPSIGNAL SIGRTMIN+3', { StopSignal: 'SIGRTMIN+3' }],
  ['USER web:web', { User: 'web:web' }],
  ['VOLUME ["/a b","/c"]', { Volumes: { '/a b': {}, '/c': {} } }],
  ['VOLUME /a /c', { Volumes: { '/a': {}, '/c': {} } }],
  ['WORKDIR /x/../y', { WorkingDir: '/y' }],
];
for (const [text, config] of RESULTS) {
  test(`--change '${text}'`, (t) => {
    t.deepEqual(changed([text]), config);
  });
}

const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /'' is no instruction/],
  ['RUN make', /'RUN' is no instruction/],
  ['constructor x', /'CONSTRUCTOR' is no instruction/],
  ['__proto__ x', /is no instruction/],
  ['ONBUILD RUN make', /no place for ONBUILD/],
  ['CMD', /is no instruction|has no value/],
  ['USER ', /is no instruction|has no value/],
  ['ENV A', /'A' has no value/],
  ['ENV A=1 B', /'B' is not KEY=VALUE/],
  ['ENV A=1 =2', /'=2' is not KEY=VALUE/],
  ['ENV A="b', /without its end/],
  ['EXPOSE 0', /'0' is no port/],
  ['EXPOSE 65536', /'65536' is no port/],
  ['EXPOSE 80/icmp', /is no port/],
  ['EXPOSE 80/sctp', /is no port/],
  ['EXPOSE 80-82', /is no port/],
  ['EXPOSE http', /is no port/],
  ['LABEL a', /'a' has no value/],
  ['STOPSIGNAL NONSENSE', /'NONSENSE' is no signal/],
  ['STOPSIGNAL 0', /is no signal/],
  ['STOPSIGNAL 65', /is no signal/],
  ['STOPSIGNAL SIGtoString', /is no signal/],
  ['USER a b', /one value is expected/],
  ['VOLUME relative', /does not begin with '\/'/],
  ['WORKDIR relative', /does not begin with '\/'/],
];
for (const [text, why] of REFUSED) {
  test(`no change: '${text}'`, (t) => {
    const error = t.throws(() => parseChange(text), { instanceOf: P2cError, message: why });
    t.is(error?.code, 'change.invalid');
    t.is(error?.exitCode, 2);
    t.truthy(error?.hint);
  });
}

test('an unknown instruction is told with the known ones', (t) => {
  const error = t.throws(() => parseChange('RUN x'), { instanceOf: P2cError });
  t.is(error?.hint, 'known: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR');
});

test('changes add to what is there, and the last of a kind counts', (t) => {
  const before = {
    Env: ['PATH=/bin', 'A=1', 'odd'],
    Labels: { a: 'old', b: 'kept' },
    Volumes: { '/old': {} },
    ExposedPorts: { '1/tcp': {} },
    User: 'root',
  };
  t.deepEqual(changed(['ENV A=2', 'LABEL a=new', 'VOLUME /new', 'EXPOSE 2', 'USER a', 'USER b'], before), {
    Env: ['PATH=/bin', 'A=2', 'odd'],
    Labels: { a: 'new', b: 'kept' },
    Volumes: { '/old': {}, '/new': {} },
    ExposedPorts: { '1/tcp': {}, '2/tcp': {} },
    User: 'b',
  });
  t.deepEqual(before.Env, ['PATH=/bin', 'A=1', 'odd'], 'the config that was given is as it was');
});

test('an entry point takes the old command away, and never one that is given with it', (t) => {
  t.deepEqual(changed(['ENTRYPOINT ["/e"]'], { Cmd: ['/bin/sh'] }), { Entrypoint: ['/e'], Cmd: [] });
  for (const texts of [
    ['ENTRYPOINT ["/e"]', 'CMD ["x"]'],
    ['CMD ["x"]', 'ENTRYPOINT ["/e"]'],
  ]) {
    t.deepEqual(changed(texts, { Cmd: ['/bin/sh'] }), { Entrypoint: ['/e'], Cmd: ['x'] });
  }
});

test('a label may have any name', (t) => {
  const labels = changed(['LABEL __proto__=x constructor=y'])?.Labels ?? {};
  t.deepEqual(Object.entries(labels), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});
