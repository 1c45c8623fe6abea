// Integration tests run a real sshd, tar, kernel and engines: one file at a time, so that they do not starve each other.
export default {
  files: ['test/integration/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  concurrency: 1,
  timeout: '10m',
};
