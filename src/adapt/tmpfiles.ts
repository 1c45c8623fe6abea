/** Lines of tmpfiles.d(5): `TYPE PATH MODE USER GROUP AGE ARGUMENT`. */
import { addLines, commentOut } from './lines.ts';

/** Folders that programs of all kinds put files into. */
const FOLDERS = ['/tmp', '/var/tmp'];

/** Types of lines that make a folder, and clean it where they state an age; `D` also empties it at each boot. */
const MAKES = 'dDevqQ';
/** Those that remove what their pattern matches. */
const REMOVES = 'rR';

interface Line {
  /** The letter alone, without `!`, `-` and their kin. */
  readonly type: string;
  readonly path: string;
  readonly age: string;
}

function parsed(line: string): Line {
  const [type = '', path = '', , , , age = '-'] = line.trim().split(/\s+/);
  return { type: type.slice(0, 1), path: path.replace(/^(['"])(.*)\1$/, '$2').replace(/(.)\/$/, '$1'), age };
}

/** Takes out what empties those folders at a boot or by age; lines for what an application has in them stay. */
export function withoutCleaning(text: string): string {
  return commentOut(text, (line) => {
    const { type, path, age } = parsed(line);
    if (type !== '' && REMOVES.includes(type)) return FOLDERS.some((folder) => isPatternIn(folder, path));
    if (type === '' || !MAKES.includes(type) || !FOLDERS.includes(path)) return false;
    return type === 'D' || age !== '-';
  });
}

/** `/tmp/*` and `/tmp/systemd-private-*`, and not `/tmp/app.lock`. */
function isPatternIn(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`) && /[*?[]/.test(path);
}

/** With a line that makes each of those folders, of no age, where the text has none. */
export function withFolders(text: string): string {
  const made = new Set(
    text
      .split('\n')
      .map(parsed)
      .filter(({ type }) => type !== '' && MAKES.includes(type))
      .map(({ path }) => path),
  );
  const missing = FOLDERS.filter((folder) => !made.has(folder));
  return addLines(
    text,
    missing.map((folder) => `d ${folder} 1777 root root -`),
  );
}
