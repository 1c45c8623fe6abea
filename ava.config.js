/** Those that mostly wait, the longest first: begun last, each of them would be waited for when all else is done. */
const WAITING = [
  'test/profiles/quiesce',
  'test/ssh/compression',
  'test/ssh/trouble',
  'test/profiles/owed',
  'test/listing/scan-fallback',
  'test/pipeline/fleet',
  'test/ssh/authentication',
];

function rank(file) {
  const found = WAITING.findIndex((name) => file.includes(`${name}.test.`));
  return found < 0 ? WAITING.length : found;
}

export default {
  files: ['test/**/*.test.ts', '!test/integration/**'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  // More than a small machine has cores, for the first ones mostly wait.
  concurrency: 6,
  sortTestFiles: (one, other) => rank(one) - rank(other) || (one < other ? -1 : 1),
  timeout: '60s',
};
