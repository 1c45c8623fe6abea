/** What the probe of a source's programs found, and what follows from it. */
import { printable } from '../printable.ts';
import type { SourceTools } from '../source/tools.ts';

/** The texts are printed forms. */
export interface ToolsReport {
  readonly tar: SourceTools['tar'];
  readonly find: SourceTools['find'];
  readonly stat: SourceTools['stat'];
  readonly sh: string;
  readonly attributeReaders: readonly string[];
  readonly compressors: readonly string[];
  readonly chosen: {
    /** How files are listed. */
    readonly listing: SourceTools['lister'];
    /** False where times are whole seconds: the rest is unknown. */
    readonly nanoseconds: boolean;
    /** What captures: the source's tar, or nothing, and then only an audit can be made. */
    readonly capture: 'tar' | 'none';
  };
}

export function toolsReport(tools: SourceTools): ToolsReport {
  return {
    tar: { ...tools.tar, version: printable(tools.tar.version) },
    find: { ...tools.find, version: printable(tools.find.version) },
    stat: tools.stat,
    sh: printable(tools.sh),
    attributeReaders: tools.attributeReaders,
    compressors: tools.compressors,
    chosen: {
      listing: tools.lister,
      nanoseconds: tools.nanoseconds,
      capture: tools.tar.takesNames ? 'tar' : 'none',
    },
  };
}

/** One line for the page: which tools, how they are used, and what that costs. */
export function describeTools({ tar, find, chosen }: ToolsReport): string {
  const listed = [
    `listed with ${chosen.listing} (${find.flavour})`,
    ...(chosen.nanoseconds ? [] : ['times in whole seconds']),
  ];
  const captured =
    chosen.capture === 'none'
      ? [`its tar (${tar.version || 'none'}) cannot make a capture: migrate needs GNU tar there`]
      : [`captured with ${tar.version}`, ...(tar.xattrsInclude ? [] : ['which loses extended attributes'])];
  return `Tools: ${[...listed, ...captured].join(', ')}`;
}
