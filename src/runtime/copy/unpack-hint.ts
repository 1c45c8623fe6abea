/** What to do about a tar that could not unpack in a container. */

/** @param code tar's exit code, undefined where this machine's ran. @param messages what it said. */
export function unpackHint(code: number | undefined, messages: string): string | undefined {
  if (/not look like a tar|invalid tar (?:magic|header)|short read|Unexpected EOF/i.test(messages)) {
    return 'what comes on standard input must be a whole tar stream, not compressed: tar -c FILE… | p2c cp - CONTAINER:FOLDER';
  }
  if (/Read-only file system/.test(messages)) {
    return "it is read-only while the container runs: copy to a volume or a tmpfs of it, or into its root after 'p2c stop'";
  }
  if (/No space left|quota exceeded/i.test(messages)) return 'there is no room left where it is copied to';
  if (code === 126 || code === 127) {
    return "into a running container its own tar copies, and it has none: 'p2c stop' the container first";
  }
  return undefined;
}
