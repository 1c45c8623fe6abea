/** Reads extended attributes beside the stream, where the source's tar does not carry them. */
import { COMPLAINTS_KEPT, Complaints } from '../../listing/complaints.ts';
import type { Start } from '../../listing/scan.ts';
import { printablePath } from '../../printable.ts';
import {
  Attributes,
  AttributesParser,
  attributeReaderOf,
  attributesCommand,
  attributesFailed,
} from '../../source/attributes.ts';
import type { SourceFacts } from '../../source/facts.ts';
import type { RemoteCommand, Session } from '../../ssh/session.ts';
import { type Patience, retrying } from '../retry.ts';

export interface AttributesInput extends Patience {
  readonly session: Session;
  readonly facts: SourceFacts;
  /** Of the finds that listed the source: the same trees are read. */
  readonly starts: readonly Start[];
}

/** The commands that will be run, for `--dry-run` too; none where tar carries attributes. */
export function attributesCommands({ tools }: SourceFacts, starts: readonly Start[]): RemoteCommand[] {
  const reader = attributeReaderOf(tools);
  if (tools.tar.xattrs || reader === undefined) return [];
  return starts
    .filter(({ what }) => what !== 'itself')
    .map(({ path }) => attributesCommand(reader, path, printablePath(path)));
}

/** True where capabilities, ACLs or other attributes are not to be had on this source. */
export function losesAttributes({ tools }: SourceFacts): boolean {
  return !tools.tar.xattrs && attributeReaderOf(tools) !== 'getfattr';
}

export interface BesideStream {
  readonly attributes: Attributes;
  /** What the programs could not read, in their own words. */
  readonly problems: readonly string[];
}

/** @returns nothing where the stream has them, or no program can read them. @throws P2cError `source.attributes`. */
export async function readAttributes(input: AttributesInput): Promise<BesideStream> {
  const { session, facts, starts, signal } = input;
  const reader = attributeReaderOf(facts.tools);
  const attributes = new Attributes();
  const problems: string[] = [];
  if (reader === undefined) return { attributes, problems };
  for (const command of attributesCommands(facts, starts)) {
    await retrying(command.purpose, input, async () => {
      signal?.throwIfAborted();
      const parser = new AttributesParser(reader, attributes);
      const said = new Complaints(matters);
      const stream = await session.stream(command, (chunk) => said.push(chunk));
      for await (const chunk of stream.stdout) parser.push(chunk);
      const result = await stream.done;
      // 1 is about single files, which the lines name. A find that was killed has not looked at the rest.
      if (result.code > 1) throw attributesFailed(command, session.target.name, result);
      parser.end();
      // busybox' find does not tell that a program was killed under it.
      const silent = result.code !== 0 && result.stderr.trim() === '';
      const lines = silent ? [`${command.purpose}: exit code ${result.code} without a word`] : said.end();
      problems.push(...lines.slice(0, COMPLAINTS_KEPT - problems.length));
    });
  }
  return { attributes, problems };
}

/** Not: a file that vanished meanwhile, and a filesystem that has no attributes at all. */
function matters(line: string): boolean {
  return line !== '' && !/(No such file or directory|Operation not supported)$/.test(line);
}
