/** Names in a tar stream, in the one spelling in which they are compared. */
import type { ByteString } from '../printable.ts';

/**
 * `./etc/`, `etc`, `/etc` and `.//etc/.` are one path: `/etc`. Components `..` are not resolved: a name that has one
 * is never one that was asked for.
 */
export function cleanName(name: ByteString): ByteString {
  // The common spelling of our own streams, without splitting.
  if (name.startsWith('./') && !name.includes('//') && !name.includes('/./') && !name.endsWith('/.')) {
    const end = name.length > 2 && name.endsWith('/') ? name.length - 1 : name.length;
    return name.slice(1, end) as ByteString;
  }
  const components = name.split('/').filter((component) => component !== '' && component !== '.');
  return `/${components.join('/')}` as ByteString;
}
