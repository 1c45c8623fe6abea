import test from 'ava';
import { binaryCapability } from '../../src/tar/file-capability.ts';

// As the kernel gives them back for what setcap was told (getfattr -e hex), on Debian 12.
const KNOWN = {
  'cap_net_raw,cap_sys_ptrace=eip': '0100000200200800002008000000000000000000',
  '=ep': '01000002ffffffff00000000ff01000000000000',
} as const;

for (const [text, hex] of Object.entries(KNOWN)) {
  test(`${text} is what the kernel has for it`, (t) => {
    t.is(binaryCapability(text)?.toString('hex'), hex);
  });
}

test('clauses follow each other, and operators too', (t) => {
  t.is(binaryCapability('cap_net_raw+ep')?.toString('hex'), binaryCapability('= cap_net_raw+e+p')?.toString('hex'));
  t.is(binaryCapability('all=p cap_chown-p')?.toString('hex'), '00000002feffffff00000000ff01000000000000');
  t.is(binaryCapability('CAP_BPF=p')?.toString('hex'), binaryCapability('39=p')?.toString('hex'));
});

test('a root ID makes revision 3', (t) => {
  t.is(
    binaryCapability('cap_chown=ep [rootid=100000]')?.toString('hex'),
    '010000030100000000000000000000000000000' + '0a0860100',
  );
});

test('what getcap does not write is none', (t) => {
  for (const text of ['', 'cap_chown', 'cap_unknown=ep', '64=p', 'cap_chown=x', '=ep; rm', 'cap_chown =']) {
    t.is(binaryCapability(text), undefined, text);
  }
});
