// Reads the TAP that ava writes: shows each test in a line and each failure in full on standard output, and writes
// "PASSED FAILED SKIPPED" to the file named by its argument when the stream ends.
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const counts = { passed: 0, failed: 0, skipped: 0 };
let complete = false;
let last = '';

/** One result line; the title may hold anything, the directive stands at its end. */
function result(line) {
  if (/ # (SKIP|TODO)$/i.test(line)) last = 'skipped';
  else last = line.startsWith('ok ') ? 'passed' : 'failed';
  counts[last]++;
  const mark = { passed: '  ok      ', failed: '  FAILED  ', skipped: '  skipped ' }[last];
  console.log(`${mark}${line.replace(/^(not )?ok \d+ - /, '')}`);
}

/** A test that lacked something passes and says so in its log; it is counted as what it is. */
function log(line) {
  if (last === 'passed' && /^# {3}skipped: needs /.test(line)) {
    counts.passed--;
    counts.skipped++;
    last = 'skipped';
  }
  console.log(`          ${line.slice(1).trim()}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  if (/^(not )?ok \d+ /.test(line)) result(line);
  else if (/^1\.\.\d+$/.test(line)) complete = true;
  else if (complete || line.startsWith('TAP version')) continue;
  else if (line.startsWith('# ')) log(line);
  else if (line !== '') console.log(`        ${line}`);
}

if (!complete) {
  console.log('  FAILED  the test run ended before its end');
  counts.failed++;
}
if (counts.passed + counts.failed + counts.skipped === 0) {
  console.log('  FAILED  no test ran');
  counts.failed++;
}
writeFileSync(process.argv[2], `${counts.passed} ${counts.failed} ${counts.skipped}\n`);
