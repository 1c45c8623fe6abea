import test from 'ava';
import { withoutDevices } from '../../../src/runtime/copy/without-devices.ts';
import { rawTar } from '../../helpers/raw-tar.ts';

const LONG = `./${'long/'.repeat(40)}node`;

const KEPT = [
  { name: './dev/', type: '5' },
  { name: './dev/fifo', type: '6' },
  { name: './dev/disk', type: '2', link: 'sda' },
  { name: './x', content: 'x'.repeat(1500), pax: { 'SCHILY.xattr.user.a': 'b', size: '1500' } },
  { name: './hard', type: '1', link: './x' },
];
const ALL = [
  ...KEPT.slice(0, 2),
  { name: './dev/sda', type: '4', device: [8, 0] as const, pax: { mtime: '1.5' } },
  { name: './dev/again', type: '1', link: './dev/sda' },
  ...KEPT.slice(2),
  { name: './short', type: '3', device: [1, 1] as const, pax: { path: LONG } },
  { name: './other', type: '1', link: './short', pax: { linkpath: LONG } },
];

async function filtered(bytes: Buffer, size: number): Promise<{ bytes: Buffer; names: string[] }> {
  const names: string[] = [];
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
  };
  const pieces: Buffer[] = [];
  for await (const piece of withoutDevices(chunks(), (name) => names.push(name))) pieces.push(Buffer.from(piece));
  return { bytes: Buffer.concat(pieces), names };
}

test('devices, all that is said of them, and their other names are taken out; all else is as it was', async (t) => {
  for (const size of [1, 100, 512, 700, 1_000_000]) {
    const { bytes, names } = await filtered(rawTar(ALL), size);
    t.deepEqual(names, ['/dev/sda', '/dev/again', LONG.slice(1), '/other'], String(size));
    t.true(bytes.equals(rawTar(KEPT)), String(size));
  }
});
