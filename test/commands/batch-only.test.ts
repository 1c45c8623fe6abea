import test from 'ava';
import yargs from 'yargs';
import { refuseBatchOptions, refuseOwnPort } from '../../src/commands/batch-only.ts';
import { migrateOptions } from '../../src/commands/migrate-options.ts';
import { typedOptions } from '../../src/commands/typed-options.ts';

async function typed(text: string): Promise<ReadonlySet<string>> {
  const parser = migrateOptions(yargs([]).parserConfiguration({ 'dot-notation': false }).exitProcess(false));
  await parser.parseAsync(text.split(' '));
  return typedOptions(parser.parsed);
}

test('options that mean the hosts of an inventory are refused where one target is named', async (t) => {
  for (const text of [
    '--pre x',
    '--fail-fast',
    '--no-fail-fast',
    '--concurrency 2',
    '--webhook x',
    '--batchPost x',
    '--metrics-file x',
    '-l nobody',
    '--vault-pass-file x',
    '--attempts=2',
    '--no-estimate',
  ]) {
    const names = await typed(`root@old --tag a ${text}`);
    t.throws(
      () => refuseBatchOptions(names),
      { code: 'usage', message: /^--[a-z-]+ is for the hosts of an inv/ },
      text,
    );
  }
  const two = await typed('root@old --pre x --post y');
  t.throws(() => refuseBatchOptions(two), {
    message: '--pre, --post are for the hosts of an inventory, and one target is named',
  });
});

test('what one target has too is not refused, and neither are defaults', async (t) => {
  const names = await typed('root@old --tag a --reserve 1g -p 2222 --retries 6 --json');
  t.notThrows(() => refuseBatchOptions(names));
  t.throws(() => refuseOwnPort(names), { code: 'usage' });
  t.notThrows(() => refuseOwnPort(new Set()));
});
