/**
 * What a tree holds, as the system's own tools see it: nothing of p2c takes part, so that it can judge p2c.
 * `find` gives the attributes, `sha256sum` the contents, `getfattr` the extended attributes.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Seen {
  /** Type, mode, owner, size, mtime in nanoseconds, link target. */
  readonly attributes: string;
  /** Names of the same inode, the path's own among them. */
  readonly linkedWith: string;
  readonly content: string;
  readonly xattrs: string;
  /** Seconds since 1970, when all the rest had been looked at; infinite for what was gone by then. */
  readonly changed: number;
}

/** The kernel's own filesystems are not looked into. */
const LOOK = "find . '(' -path './proc/*' -o -path './sys/*' -o -path './dev/*' -o -path './run/*' ')' -prune -o";

/** Every path of the tree at `root`, `/`-anchored, names as bytes in latin1. Other filesystems below it are seen too. */
export async function seeTree(root: string): Promise<Map<string, Seen>> {
  const listed = await output(`${LOOK} -printf '%y %m %U %G %s %T@ %l\\0%D:%i\\0%n\\0%P\\0'`, root);
  const fields = listed.split('\0');
  const contents = await contentsOf(root);
  const xattrs = await xattrsOf(root);
  const changes = await changesOf(root);
  const inodes = new Map<string, string[]>();
  const rows: { path: string; attributes: string; inode: string }[] = [];
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [attributes = '', inode = '', links = '', path = ''] = fields.slice(i, i + 4);
    const isDirectory = attributes.startsWith('d');
    // A directory's size is its filesystem's business.
    const plain = isDirectory ? attributes.replace(/^(d \d+ \d+ \d+) \d+/, '$1') : attributes;
    rows.push({ path: `/${path}`, attributes: plain, inode });
    if (!isDirectory && Number(links) > 1) inodes.set(inode, [...(inodes.get(inode) ?? []), `/${path}`]);
  }
  return new Map(
    rows.map(({ path, attributes, inode }) => [
      path,
      {
        attributes,
        changed: changes.get(path) ?? Number.POSITIVE_INFINITY,
        linkedWith: (inodes.get(inode) ?? []).sort().join('\0'),
        content: contents.get(path) ?? '',
        xattrs: xattrs.get(path) ?? '',
      },
    ]),
  );
}

/** To be asked for last: what changed while the rest was looked at, may have been seen half before and half after. */
async function changesOf(root: string): Promise<Map<string, number>> {
  const fields = (await output(`${LOOK} -printf '%C@\\0%P\\0'`, root)).split('\0');
  const changes = new Map<string, number>();
  for (let i = 0; i + 1 < fields.length; i += 2) changes.set(`/${fields[i + 1] ?? ''}`, Number(fields[i]));
  return changes;
}

async function contentsOf(root: string): Promise<Map<string, string>> {
  const script = `${LOOK} -type f -size -1000000k -print0 | xargs -0 -r sha256sum --zero --`;
  const lines = (await output(script, root)).split('\0').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(67), line.slice(0, 64)]));
}

/** getfattr escapes names with backslashes and octal digits: only that a path has them, and which, is compared. */
async function xattrsOf(root: string): Promise<Map<string, string>> {
  const dump = await output(`${LOOK} -print0 | xargs -0 -r getfattr -h -d -m - -e hex -- 2>/dev/null || true`, root);
  const attributes = new Map<string, string>();
  for (const block of dump.split('\n\n')) {
    const [head, ...lines] = block.split('\n');
    if (head === undefined || !head.startsWith('# file: ')) continue;
    attributes.set(head.slice('# file: .'.length) || '/', lines.sort().join('\n'));
  }
  return attributes;
}

async function output(script: string, cwd: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', script], {
    cwd,
    encoding: 'latin1',
    maxBuffer: 1024 ** 3,
    env: { ...process.env, LC_ALL: 'C' },
  });
  return stdout;
}
