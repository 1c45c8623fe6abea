import test from 'ava';
import yargs from 'yargs';
import { checkGivenOptions } from '../../src/commands/given-options.ts';

async function parse(...argv: string[]): Promise<unknown> {
  return yargs([])
    .option('tag', { alias: 't', type: 'string' })
    .option('port', { alias: 'p', type: 'number', default: 22 })
    .option('known-hosts', { type: 'string', array: true, nargs: 1 })
    .option('exclude', { type: 'string', array: true, nargs: 1 })
    .option('hot', { type: 'boolean' })
    .check(checkGivenOptions)
    .exitProcess(false)
    .fail((_message, error) => {
      throw error;
    })
    .parseAsync(argv);
}

test('one value is one value; a list is a list', async (t) => {
  t.like(await parse('--tag', 'a', '--exclude', '/a', '--exclude', '/b', '-p', '1', '--known-hosts', 'f', 'word'), {
    tag: 'a',
    exclude: ['/a', '/b'],
    port: 1,
  });
  t.like(await parse(), { port: 22 });
  for (const twice of [
    ['--tag', 'a', '--tag', 'b'],
    ['-t', 'a', '--tag', 'b'],
    ['-p', '1', '-p', '2'],
  ]) {
    await t.throwsAsync(
      parse(...twice),
      { message: /^--?\w+ is given 2 times, and takes one value$/ },
      twice.join(' '),
    );
  }
  for (const odd of ['abc', '1x', 'NaN']) {
    await t.throwsAsync(parse('-p', odd), { message: /^--?p(ort)? takes a number$/ }, odd);
  }
});
