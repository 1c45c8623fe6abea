/** `p2c push`: an image into a registry. */

import { usageError } from '../errors.ts';
import { registryDestination } from '../oci/destination.ts';
import { defineVerb } from './command.ts';
import { copyAndTell } from './copy-out.ts';
import { COPY_OPTIONS } from './export.ts';

export const verb = defineVerb({
  name: 'push',
  usage: '[options] IMAGE [REGISTRY/NAME[:TAG]]',
  summary: 'copy an image into a registry',
  examples: [
    ['p2c push old:latest registry.example/shop/old:latest', 'under a name there'],
    ['p2c push registry.example/shop/old:latest', 'an image whose name has a registry in it'],
    ['p2c push --tls-verify=false old 127.0.0.1:5000/old', 'a registry that speaks plain HTTP'],
  ],
  options: (parser) => parser.options(COPY_OPTIONS),
  async run({ tlsVerify, authfile, json }, words) {
    const [name, destination] = words;
    if (name === undefined || words.length > 2) {
      throw usageError('an image, and where it goes, are expected', { code: 'usage', hint: 'p2c push IMAGE [NAME]' });
    }
    return copyAndTell(name, (own) => registryDestination(destination, own), { tlsVerify, authfile, json });
  },
});
