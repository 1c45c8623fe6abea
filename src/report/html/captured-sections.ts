/** What a host's report tells of its files: where the bytes are, what is hard to carry, what was left out, what became of it. */
import { formatBytes, formatCount, formatDuration } from '../units.ts';
import { bootSection } from './boot-section.ts';
import { type Markup, markup } from './markup.ts';
import type { ShownResult } from './result.ts';
import { treemap } from './treemap.ts';

const PATHS = 10;

export function capturedSections(result: ShownResult): Markup {
  return markup`${bytes(result)}${hazards(result)}${duplicates(result)}${exclusions(result)}${receipt(result)}${adaptation(result)}${applications(result)}${bootSection(result)}`;
}

function section(title: string, body: Markup): Markup {
  return markup`<section><h4>${title}</h4>${body}</section>
`;
}

function paths(names: readonly string[]): Markup | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > PATHS ? markup`<li class="none">and ${names.length - PATHS} more</li>` : undefined;
  return markup`<ul class="paths">${names.slice(0, PATHS).map((name) => markup`<li>${name}</li>`)}${more}</ul>`;
}

function bytes({ anatomy: { tops, largest } }: ShownResult): Markup | undefined {
  if (tops.length === 0) return undefined;
  const shares = tops.map(({ path, bytes: size }) => ({ name: path, bytes: size }));
  const rows = largest
    .slice(0, PATHS)
    .map(
      ({ path, bytes: size }) => markup`<tr><td class="path">${path}</td><td class="n">${formatBytes(size)}</td></tr>`,
    );
  const files =
    rows.length === 0
      ? undefined
      : markup`<details><summary>Largest files</summary><table><thead><tr><th scope="col">File</th><th scope="col" class="n">Size</th></tr></thead><tbody>${rows}</tbody></table></details>`;
  const folders = tops.map(
    ({ path, entries, bytes: size }) =>
      markup`<tr><td class="path">${path}</td><td class="n">${formatBytes(size)}</td><td class="n">${entries.toLocaleString('en-US')}</td></tr>`,
  );
  return section(
    'Where the bytes are',
    markup`${treemap(shares, 'Folders by their bytes; the table below has the same numbers')}<details><summary>Folders as a table</summary><table><thead><tr><th scope="col">Folder</th><th scope="col" class="n">Bytes</th><th scope="col" class="n">Entries</th></tr></thead><tbody>${folders}</tbody></table></details>${files}`,
  );
}

function hazards({ anatomy }: ShownResult): Markup | undefined {
  if (anatomy.hazards.length === 0) return undefined;
  const rows = anatomy.hazards.map(
    ({ kind, entries, examples }) =>
      markup`<tr><td>${kind}</td><td class="n">${entries.toLocaleString('en-US')}</td><td class="path">${examples.slice(0, 3).join(', ')}</td></tr>`,
  );
  return section(
    'Hard to carry',
    markup`<table><thead><tr><th scope="col">What</th><th scope="col" class="n">Paths</th><th scope="col">Such as</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function duplicates({ duplicates: { total, paths: found } }: ShownResult): Markup | undefined {
  if (total === 0) return undefined;
  return section(
    'Duplicates avoided',
    markup`<p>${formatCount(total, 'path')} that a tar over all mounts would hold twice.</p>${paths(found.map(({ path, count, cause }) => `${path} (${count} times: ${cause})`))}`,
  );
}

function exclusions({ excluded }: ShownResult): Markup | undefined {
  if (excluded.length === 0) return undefined;
  const rows = excluded.map(
    ({ rule, reason, entries, bytes: size, examples }) =>
      markup`<tr><td><code>${rule}</code></td><td>${reason}</td><td class="n">${entries.toLocaleString('en-US')}</td><td class="n">${formatBytes(size)}</td><td class="path">${examples[0]}</td></tr>`,
  );
  return section(
    'Left out, by rule',
    markup`<table><thead><tr><th scope="col">Rule</th><th scope="col">Why</th><th scope="col" class="n">Entries</th><th scope="col" class="n">Bytes</th><th scope="col">Such as</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

function receipt({ stream, settle, listing }: ShownResult): Markup | undefined {
  if (stream === undefined || settle === undefined) return undefined;
  const rows: (readonly [string, string])[] = [
    ['Captured', `${formatCount(stream.entries, 'entry', 'entries')}, ${formatBytes(stream.contentBytes)} of content`],
    [
      'Fetched again',
      `${formatCount(settle.changed, 'path')} in ${formatCount(settle.rounds, 'round')}, ${settle.removed} gone`,
    ],
    ['Vanished meanwhile', formatCount(settle.vanished, 'path')],
    ['Perhaps torn', formatCount(settle.torn, 'path')],
    ['Unreadable', formatCount(settle.unreadable, 'path')],
  ];
  const blind = [...settle.unreadablePaths, ...listing.problems, ...stream.problems];
  return section(
    'Receipt',
    markup`<dl class="facts">${rows.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${blind.length === 0 ? undefined : markup`<p>Blind spots:</p>${paths(blind)}`}`,
  );
}

function adaptation({ adaptation: adapted }: ShownResult): Markup | undefined {
  if (adapted === null) return undefined;
  const rows = adapted.recipes.map(
    ({ recipe, files }) => markup`<tr><td>${recipe}</td><td class="path">${files.join(', ')}</td></tr>`,
  );
  const left = adapted.passedOver.map(({ path, why }) => `${path}: ${why}`);
  const passedOver = left.length === 0 ? undefined : markup`<p>Not adapted:</p>${paths(left)}`;
  return section(
    'Adapted so that it boots',
    markup`<p>${adapted.system}</p><table><thead><tr><th scope="col">Recipe</th><th scope="col">Files</th></tr></thead><tbody>${rows}</tbody></table>${passedOver}`,
  );
}

function applications({ stopped }: ShownResult): Markup | undefined {
  if (stopped === null || stopped.applications.length + stopped.leftAlone.length === 0) return undefined;
  const rows = stopped.applications.map(({ name, downMs, trouble, health }) => {
    const up = trouble === null ? [] : [`it is up, though ${trouble}`];
    const checks = health.map(({ check, before, after, says }) =>
      before === after && says === ''
        ? `${check}: ${after}`
        : `${check}: ${before}, then ${after}${says === '' ? '' : ` (${says})`}`,
    );
    return markup`<tr><td>${name}</td><td class="n">${formatDuration(downMs)}</td><td>${[...up, ...checks].join('; ')}</td></tr>`;
  });
  const alone =
    stopped.leftAlone.length === 0
      ? undefined
      : markup`<p>Not running before, and left alone: ${stopped.leftAlone.join(', ')}</p>`;
  return section(
    'Applications and their health',
    markup`<table><thead><tr><th scope="col">Application</th><th scope="col" class="n">Down</th><th scope="col">Health before and after</th></tr></thead><tbody>${rows}</tbody></table>${alone}`,
  );
}
