/** `p2c cp`: files into a container or out of it. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { type ByteString, printablePath } from '../printable.ts';
import { findContainer } from '../runtime/containers.ts';
import { copyIn, copyOut } from '../runtime/copy/copy.ts';
import { parseSide } from '../runtime/copy/words.ts';
import { defineVerb } from './command.ts';

/** Device nodes that are told by name. */
const SHOWN = 10;

export const verb = defineVerb({
  name: 'cp',
  usage: '[options] CONTAINER:PATH PATH | PATH CONTAINER:PATH',
  summary: 'copy files into a container or out of it, whether it runs or not; - is a tar stream',
  examples: [
    ['p2c cp old:/etc/nginx ./nginx', 'a folder, out'],
    ['p2c cp app.conf old:/etc/app.conf', 'a file, in'],
    ['p2c cp old:/var/log - | tar -t', 'as a tar stream'],
  ],
  options: (parser) =>
    parser.option('archive', {
      alias: 'a',
      type: 'boolean',
      default: true,
      describe: 'it belongs to whom it is copied to, without set-ID bits (--no-archive: owners stay, by number)',
    }),
  async run({ archive }, words) {
    const [from, to] = words;
    if (from === undefined || to === undefined || words.length > 2) {
      throw usageError('a source and a destination are expected', { code: 'usage', hint: 'p2c cp old:/etc/motd .' });
    }
    const [source, destination] = [parseSide(from), parseSide(to)];
    const isOut = 'container' in source;
    if (isOut === 'container' in destination) {
      throw usageError('one of the two is in a container: CONTAINER:PATH', { code: 'usage' });
    }
    const root = storeRoot();
    if (isOut) {
      const container = await findContainer(root, source.container);
      noteLeftOut(await copyOut(container, source.path, destination.path, { archive }));
    } else if ('container' in destination) {
      await copyIn(await findContainer(root, destination.container), source.path, destination.path, { archive });
    }
    return ExitCode.done;
  },
});

function noteLeftOut(devices: readonly ByteString[]): void {
  const more = devices.length - SHOWN;
  for (const name of devices.slice(0, SHOWN)) {
    process.stderr.write(
      `p2c: '${printablePath(name)}' is a device node, and here it would be this machine's: left out\n`,
    );
  }
  if (more > 0) process.stderr.write(`p2c: ${more} more device nodes are left out; 'p2c cp … -' has them\n`);
}
