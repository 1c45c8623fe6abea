/** The stages of one host on one axis of time, with the time in which its applications were down behind them. */
import type { HostRecord, StageRecord } from '../run-record.ts';
import { formatDuration } from '../units.ts';
import { type Markup, markup } from './markup.ts';

const WIDTH = 1000;

/** A resumed run's stages come again; a gap between two processes is shown as what it was. */
export function timeline({ stages, downs }: HostRecord): Markup {
  const first = stages[0];
  if (first === undefined) return markup`<p class="none">Nothing was begun on this host.</p>`;
  const from = first.began;
  const to = Math.max(...stages.map((stage) => stage.ended ?? stage.began), from + 1);
  const x = (at: number): number => Math.round(((at - from) / (to - from)) * WIDTH * 10) / 10;
  const span = (began: number, ended: number): { x: number; width: number } => ({
    x: x(began),
    width: Math.max(2, x(ended) - x(began)),
  });
  const behind = downs.map(({ from: since, to: until }) => {
    const { x: at, width } = span(since, until ?? to);
    return markup`<rect class="down" x="${at}" y="0" width="${width}" height="20"/>`;
  });
  const rows = stages.map((stage) => row(stage, behind, span(stage.began, stage.ended ?? to), to));
  const down = downs.reduce((sum, { from: since, to: until }) => sum + ((until ?? to) - since), 0);
  const legend =
    downs.length === 0
      ? undefined
      : markup`<p class="legend"><span class="key down"></span> applications down, ${formatDuration(down)} in all</p>`;
  return markup`<table class="timeline"><thead><tr><th scope="col">Stage</th><th scope="col">When</th><th scope="col" class="n">Took</th><th scope="col">What came of it</th></tr></thead><tbody>
${rows}</tbody></table>${legend}`;
}

function row(stage: StageRecord, behind: readonly Markup[], span: { x: number; width: number }, to: number): Markup {
  const took = formatDuration((stage.ended ?? to) - stage.began);
  const said = stage.outcome === 'done' ? stage.summary : stage.outcome;
  return markup`<tr><th scope="row">${stage.stage}</th><td class="bar"><svg viewBox="0 0 ${WIDTH} 20" preserveAspectRatio="none" aria-hidden="true">${behind}<rect class="${stage.outcome.replace(' ', '-')}" x="${span.x}" y="4" width="${span.width}" height="12" rx="2"/></svg></td><td class="n">${took}</td><td>${said}</td></tr>
`;
}
