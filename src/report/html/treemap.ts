/** Where the bytes are, as areas: a squarified treemap (Bruls, Huizing, van Wijk 2000), drawn as SVG. */
import { formatBytes } from '../units.ts';
import { type Markup, markup } from './markup.ts';

export interface Share {
  readonly name: string;
  readonly bytes: number;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Placed extends Share, Box {}

const WIDTH = 960;
const HEIGHT = 280;
/** Widths of letters vary; this is more than most have. */
const LETTER = 7.2;
const SHOWN = 40;

export function treemap(shares: readonly Share[], title: string): Markup {
  const sorted = shares
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, SHOWN);
  const boxes = squarified(sorted, { x: 0, y: 0, width: WIDTH, height: HEIGHT });
  return markup`<svg class="treemap" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${boxes.map((box, index) => rectangle(box, index))}</svg>`;
}

function rectangle(box: Placed, index: number): Markup {
  const { name, bytes, x, y, width, height } = box;
  const room = Math.floor((width - 12) / LETTER);
  const label = name.length <= room ? name : `${name.slice(0, Math.max(0, room - 1))}…`;
  const texts =
    height < 20 || room < 3
      ? undefined
      : markup`<text x="${round(x + 6)}" y="${round(y + 16)}">${label}</text>${
          height < 38
            ? undefined
            : markup`<text class="size" x="${round(x + 6)}" y="${round(y + 32)}">${formatBytes(bytes)}</text>`
        }`;
  return markup`<g class="t${index % 8}"><title>${name}: ${formatBytes(bytes)}</title><rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width - 1))}" height="${round(Math.max(0, height - 1))}"/>${texts}</g>
`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** @param shares the largest first. */
function squarified(shares: readonly Share[], within: Box): Placed[] {
  const total = shares.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) return [];
  const scale = (within.width * within.height) / total;
  const placed: Placed[] = [];
  let rest = [...shares];
  let box = within;
  while (rest.length > 0) {
    const side = Math.min(box.width, box.height);
    let taken = 1;
    while (
      taken < rest.length &&
      worst(rest.slice(0, taken + 1), side, scale) <= worst(rest.slice(0, taken), side, scale)
    ) {
      taken += 1;
    }
    const row = rest.slice(0, taken);
    placed.push(...laid(row, box, scale));
    box = left(row, box, scale);
    rest = rest.slice(taken);
  }
  return placed;
}

/** The worst ratio of sides in a row along this side. */
function worst(row: readonly Share[], side: number, scale: number): number {
  const areas = row.map(({ bytes }) => bytes * scale);
  const sum = areas.reduce((total, area) => total + area, 0);
  const largest = Math.max(...areas);
  const smallest = Math.min(...areas);
  return Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * smallest));
}

/** A row lies along the shorter side. */
function laid(row: readonly Share[], box: Box, scale: number): Placed[] {
  const area = row.reduce((sum, { bytes }) => sum + bytes * scale, 0);
  const upright = box.width >= box.height;
  const depth = area / (upright ? box.height : box.width);
  let at = upright ? box.y : box.x;
  return row.map((share) => {
    const length = (share.bytes * scale) / depth;
    const place = upright
      ? { x: box.x, y: at, width: depth, height: length }
      : { x: at, y: box.y, width: length, height: depth };
    at += length;
    return { ...share, ...place };
  });
}

function left(row: readonly Share[], box: Box, scale: number): Box {
  const area = row.reduce((sum, { bytes }) => sum + bytes * scale, 0);
  if (box.width >= box.height) {
    const depth = area / box.height;
    return { ...box, x: box.x + depth, width: Math.max(1e-9, box.width - depth) };
  }
  const depth = area / box.width;
  return { ...box, y: box.y + depth, height: Math.max(1e-9, box.height - depth) };
}
