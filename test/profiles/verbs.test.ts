import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import yargs from 'yargs';
import type { RunnableVerb } from '../../src/commands/command.ts';
import { verb as check } from '../../src/commands/profiles-check.ts';
import { verb as list } from '../../src/commands/profiles-ls.ts';
import { verb as show } from '../../src/commands/profiles-show.ts';
import { P2cError } from '../../src/errors.ts';
import { profileNames } from '../../src/profiles/load.ts';

/** Runs a verb in this process and collects what it prints on standard output. */
async function call(verb: RunnableVerb, ...argv: string[]): Promise<{ code: number; output: string }> {
  const write = process.stdout.write;
  let output = '';
  process.stdout.write = (chunk: string | Uint8Array) => {
    output += String(chunk);
    return true;
  };
  try {
    return { code: await verb.call(async () => yargs([]).strictOptions().exitProcess(false), argv), output };
  } finally {
    process.stdout.write = write;
  }
}

test.serial('ls names every profile, and those that are untested', async (t) => {
  const { code, output } = await call(list);
  t.is(code, 0);
  for (const name of profileNames()) t.regex(output, new RegExp(`^${name} `, 'm'));
  t.regex(output, /^websphere-6 .*untested/m);
  const json = JSON.parse((await call(list, '--json')).output);
  t.deepEqual(
    json.map((profile: { name: string }) => profile.name),
    profileNames(),
  );
});

test.serial('show prints the file, or what p2c makes of it', async (t) => {
  t.regex((await call(show, 'nginx')).output, /^name: nginx$/m);
  t.is(JSON.parse((await call(show, '--json', 'nginx')).output).stop[0].timeout, 60_000);
  await t.throwsAsync(call(show, 'ngnix'), { instanceOf: P2cError, message: /no profile 'ngnix'/ });
  await t.throwsAsync(call(show), { instanceOf: P2cError });
});

test.serial('check names every mistake of every file and exits with 2', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'p2c-verbs-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [good, bad] = [join(folder, 'good.yaml'), join(folder, 'bad.yaml')];
  writeFileSync(good, 'name: good\n');
  writeFileSync(bad, 'nmae: x\nports: [0]\n');
  t.deepEqual(await call(check, good), { code: 0, output: `${good}: ok\n` });
  const { code, output } = await call(check, bad, good, '/nonexistent.yaml');
  t.is(code, 2);
  const lines = output.trimEnd().split('\n');
  t.is(lines[0], `${bad}:1:1: name: is missing`);
  t.is(lines[1], `${bad}:1:1: unknown key 'nmae' (did you mean 'name'?)`);
  t.regex(lines[2] ?? '', /:2:9: ports\[0\]: '0' is no port/);
  t.is(lines[3], `${good}: ok`);
  t.regex(lines[4] ?? '', /there is no profile \/nonexistent\.yaml/);
  const json = JSON.parse((await call(check, '--json', bad, good)).output);
  t.deepEqual(
    json.map((item: { mistakes: string[] }) => item.mistakes.length),
    [3, 0],
  );
  await t.throwsAsync(call(check), { instanceOf: P2cError });
});
