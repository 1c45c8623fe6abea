/** What a verb of p2c is: its options, its examples, and what it does. `src/cli.ts` loads one such file a call. */
import type { Argv } from 'yargs';
import { typedOptions } from './typed-options.ts';

/** A yargs parser whose options are declared: what it makes of an argument list is `Parsed`. */
interface DeclaredParser<Parsed> {
  parseAsync(argv: readonly string[]): Promise<Parsed>;
  getHelp(): Promise<string>;
  /** Of the last parsing, for {@link typedOptions}. */
  readonly parsed: unknown;
}

/** The command line before defaults were put in. */
export interface Typed {
  /** All after the verb's name. */
  readonly argv: readonly string[];
  /** Names of the options that are in it, in every spelling. */
  readonly names: ReadonlySet<string>;
}

/** One verb. `options` declares yargs options on the parser it is given; `run` gets them parsed and typed. */
export interface Verb<Options> {
  /** As typed: `migrate`, `image inspect`. */
  readonly name: string;
  /** The line after `p2c NAME` in the usage: `[options] IMAGE [COMMAND...]`. */
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /**
   * True where everything from the first word that is no option belongs to another program (`run`, `exec`), as in
   * podman. Then `-h` is the verb's own and only `--help` prints help.
   */
  readonly wrapsCommand?: boolean;
  options(parser: Argv): DeclaredParser<Options>;
  /**
   * `words` are the arguments that are no options. @returns the exit code: one of ExitCode, or another program's where
   * the verb wraps a command.
   */
  run(options: Options, words: readonly string[], typed: Typed): Promise<number>;
}

/** A verb with its options' type closed over, so that verbs of all kinds fit one table. */
export interface RunnableVerb {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly (readonly [string, string])[];
  readonly wrapsCommand: boolean;
  /** Parses and runs. @param parser makes a fresh yargs parser, already set strict. */
  call(parser: () => Promise<Argv>, argv: readonly string[]): Promise<number>;
  help(parser: () => Promise<Argv>): Promise<string>;
}

/** Closes over the options' type. Every file in `commands/` exports `defineVerb({...})` as `verb`. */
export function defineVerb<Options extends { _: (string | number)[] }>(verb: Verb<Options>): RunnableVerb {
  return {
    name: verb.name,
    usage: verb.usage,
    summary: verb.summary,
    examples: verb.examples,
    wrapsCommand: verb.wrapsCommand ?? false,
    help: async (parser) => verb.options(await parser()).getHelp(),
    async call(parser, argv) {
      const declared = verb.options(await parser());
      const parsed = await declared.parseAsync([...argv]);
      return verb.run(parsed, parsed._.map(String), { argv, names: typedOptions(declared.parsed) });
    },
  };
}
