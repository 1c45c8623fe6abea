/** Takes device nodes out of a tar stream: on this machine they are the machine's own devices, whoever made them. */
import type { ByteString } from '../../printable.ts';
import { BlockGatherer } from '../../tar/block-gatherer.ts';
import { BLOCK, isZeroBlock, parseHeader } from '../../tar/header.ts';
import { cleanName } from '../../tar/name.ts';
import { overridesOf, type PaxOverrides, parsePax } from '../../tar/pax.ts';

/**
 * Of what GNU tar packs in its format `pax`: extended headers of the type `x` alone, and content in files alone. Other
 * names of a device go with it.
 * @param told each name that is taken out, as `/dev/sda` where `dev` is packed.
 */
export async function* withoutDevices(
  source: AsyncIterable<Buffer>,
  told: (name: ByteString) => void,
): AsyncGenerator<Buffer> {
  const gatherer = new BlockGatherer();
  const gone = new Set<ByteString>();
  let content = 0;
  // The extended header that is being read; once it is whole, what goes before the entry, and what it says of it.
  let extended: number | undefined;
  let before: Buffer[] = [];
  let overrides: PaxOverrides = {};
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      if (content > 0) {
        const piece = chunk.subarray(at, at + content);
        content -= piece.length;
        at += piece.length;
        yield piece;
        continue;
      }
      const { end, block } = gatherer.gather(chunk, at, extended === undefined ? BLOCK : padded(extended));
      at = end;
      if (block === undefined) continue;
      if (extended !== undefined) {
        before.push(Buffer.from(block));
        overrides = overridesOf(parsePax(block.subarray(0, extended)));
        extended = undefined;
        continue;
      }
      if (isZeroBlock(block)) {
        yield block;
        continue;
      }
      const { type, size, name, linkName } = parseHeader(block);
      if (type === 'x') {
        before = [Buffer.from(block)];
        extended = size;
        continue;
      }
      const path = cleanName(overrides.path ?? name);
      const isDevice = type === '3' || type === '4';
      if (isDevice || (type === '1' && gone.has(cleanName(overrides.linkPath ?? linkName)))) {
        gone.add(path);
        told(path);
      } else {
        yield* before;
        yield block;
        if (type === '0' || type === '7') content = padded(overrides.size ?? size);
      }
      before = [];
      overrides = {};
    }
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
