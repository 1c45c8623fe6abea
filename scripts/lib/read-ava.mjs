// Passes ava's report through and writes "PASSED FAILED SKIPPED" to the file named by its argument when it ends. Passed
// tests are counted by their lines, all else by ava's closing lines. (ava's TAP reporter dies of failures that have a detail without a value.)
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const CLOSING =
  /^ {2}(\d+) (?:known failures?|(tests?|hooks?|uncaught exceptions?|unhandled rejections?|test files?|previous failures?)(?: (passed|failed|skipped|todo|remaining|were not found in .*|did not run))?)/;

const counts = { passed: 0, failed: 0, skipped: 0 };
let lacking = 0;
let closed = false;

for await (const line of createInterface({ input: process.stdin })) {
  console.log(line);
  // A test that lacked something passes and says so in its log; it is counted as what it is.
  if (/^ +ℹ skipped: needs /.test(line)) lacking += 1;
  // ava closes with the number of passed tests only where none failed.
  if (/^ {2}✔ /.test(line)) counts.passed += 1;
  const match = CLOSING.exec(line);
  if (match === null) continue;
  const [, number, , outcome] = match;
  closed = true;
  if (outcome === 'passed') continue;
  if (outcome === 'skipped' || outcome === 'todo') counts.skipped += Number(number);
  else counts.failed += Number(number);
}

counts.passed -= lacking;
counts.skipped += lacking;
if (!closed || counts.passed + counts.failed + counts.skipped === 0) {
  console.log('  FAILED  the test run ended before its end, or ran no test');
  counts.failed += 1;
}
writeFileSync(process.argv[2], `${counts.passed} ${counts.failed} ${counts.skipped}\n`);
