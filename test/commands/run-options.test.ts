/** What `run` and `create` refuse of their options before they look at anything. */
import test, { type ExecutionContext } from 'ava';
import yargs from 'yargs';
import { createOptions, withContainerOptions } from '../../src/commands/run-options/all.ts';
import { P2cError } from '../../src/errors.ts';
import type { CreateOptions } from '../../src/runtime/options.ts';

function options(...words: string[]): CreateOptions {
  return createOptions(withContainerOptions(yargs(words).exitProcess(false)).parseSync(), []);
}

function refusal(t: ExecutionContext, ...words: string[]): string {
  const error = t.throws(() => options(...words), { instanceOf: P2cError }, words.join(' '));
  t.is(error?.exitCode, 2);
  return `${error?.message}; ${error?.hint}`;
}

test('what is wrong with --expose is told of --expose', (t) => {
  for (const text of ['foo', '80:80', '1.2.3.4::80', '0', '70000', '9-8', '80/icmp']) {
    const said = refusal(t, '--expose', text);
    t.true(said.startsWith(`--expose '${text}': `), said);
    t.notRegex(said, /-p\b/);
    t.regex(said, /--expose 8080/);
  }
  t.regex(refusal(t, '--expose', 'foo'), /not of the form PORT\[-PORT\]\[\/PROTOCOL\]/);
  t.regex(refusal(t, '-p', 'foo'), /^-p 'foo': it is not of the form/);
  t.deepEqual(options('--expose', '80-81/udp').network.expose, [
    { containerPort: 80, hostPort: 0, protocol: 'udp' },
    { containerPort: 81, hostPort: 0, protocol: 'udp' },
  ]);
});

test('a variable has a name', (t) => {
  t.regex(refusal(t, '-e', '=x'), /'=x' has no name/);
  t.regex(refusal(t, '-e', '='), /'=' has no name/);
  t.regex(refusal(t, '-e', ''), /'' has no name/);
  t.deepEqual(options('-e', 'A=', '-e', 'B==x').environment, ['A=', 'B==x']);
});

test('memory that no runtime gives is refused, and the least is taken', (t) => {
  for (const text of ['1k', '6291455', '5m'])
    t.regex(refusal(t, '-m', text), /--memory '\w+' is too little.*6m is the least/);
  t.regex(refusal(t, '-m', 'much'), /--memory 'much' is no size/);
  t.is(options('-m', '6m').memory, 6 * 1024 ** 2);
});
