// For scripts/unit: what ava.config.js says, of tests that are compiled already. Nothing stands between node and the files.
import asWritten from '../ava.config.js';

export default {
  ...asWritten,
  files: asWritten.files.map((pattern) => pattern.replace(/\.ts$/, '.js')),
  extensions: ['js'],
  nodeArguments: ['--enable-source-maps'],
};
