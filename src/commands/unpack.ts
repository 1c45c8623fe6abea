/** `p2c __unpack`: the process that unpacks a layer while others still arrive. Started by `p2c migrate --boot`, not by people. */
import { ExitCode, usageError } from '../errors.ts';
import { UNPACK_VERB, unpackForAnother } from '../runtime/unpacker.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: UNPACK_VERB,
  usage: 'ROOT DIGEST MEDIA-TYPE BLOB HASTE',
  summary: 'unpack a layer (internal)',
  examples: [],
  options: (parser) => parser,
  async run(_, [root, digest, mediaType, blobPath, haste]) {
    if (root === undefined || digest === undefined || mediaType === undefined || blobPath === undefined) {
      throw usageError('ROOT, DIGEST, MEDIA-TYPE, BLOB and HASTE are expected', { code: 'usage' });
    }
    await unpackForAnother(root, { digest, mediaType, blobPath }, haste === 'hurries' ? haste : 'gives-way');
    return ExitCode.done;
  },
});
