/** `p2c export`: an image as a file, or in another tool's store. */

import { usageError } from '../errors.ts';
import { parseDestination } from '../oci/destination.ts';
import { defineVerb } from './command.ts';
import { copyAndTell } from './copy-out.ts';

export const COPY_OPTIONS = {
  'tls-verify': { type: 'boolean', default: true, describe: "verify the registry's certificate" },
  authfile: { type: 'string', requiresArg: true, describe: "file with registries' logins; default: skopeo's own" },
  json: { type: 'boolean', default: false, describe: 'print one JSON object' },
} as const;

export const verb = defineVerb({
  name: 'export',
  usage: '[options] IMAGE DEST',
  summary: 'copy an image into a file, a folder, a registry, podman or docker',
  examples: [
    ['p2c export old:latest oci-archive:old.tar', "for 'podman load -i old.tar'"],
    ['p2c export old:latest docker-archive:old.tar', "for 'docker load -i old.tar'"],
    ['p2c export old:latest podman', "into podman's own store, as localhost/old:latest"],
    ['p2c export old:latest oci:/srv/layout', 'into another OCI layout'],
  ],
  options: (parser) => parser.options(COPY_OPTIONS),
  async run({ tlsVerify, authfile, json }, words) {
    const [name, destination] = words;
    if (name === undefined || destination === undefined || words.length > 2) {
      throw usageError('an image and a destination are expected', { code: 'usage', hint: 'p2c export IMAGE DEST' });
    }
    return copyAndTell(name, (own) => parseDestination(destination, own), { tlsVerify, authfile, json });
  },
});
