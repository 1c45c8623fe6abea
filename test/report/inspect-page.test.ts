import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { propose } from '../../src/advice/proposal.ts';
import { judge } from '../../src/advice/verdict.ts';
import { P2cError } from '../../src/errors.ts';
import { describeDifferences, differences, readSaved, savedText } from '../../src/report/inspect-compare.ts';
import { describeInspection } from '../../src/report/inspect-page.ts';
import { type InspectReport, inspectReport } from '../../src/report/inspect-report.ts';
import { statementsOf } from '../../src/report/inspect-statements.ts';
import { known, unknown } from '../../src/source/inspection/fact.ts';
import type { Inspection } from '../../src/source/inspection/inspection.ts';
import { ownedProcess, situation } from '../helpers/inspection.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function reportOf(changes: Partial<Inspection> = {}): InspectReport {
  const { facts, inspection, machine } = situation(changes);
  const verdict = judge({ facts, inspection, machine });
  const findings = {
    target: 'root@old',
    inspection,
    facts,
    machine,
    verdict,
    proposal: propose(inspection, []),
    ledger: [],
  };
  return inspectReport(findings, new Date(0));
}

test('the page ends in the verdict, and says of each unknown why', (t) => {
  const page = describeInspection(
    reportOf({
      listeners: unknown('/proc/net is closed'),
      locale: unknown('no file sets one'),
      processes: known([ownedProcess('nginx'), ownedProcess('nginx', { pid: 101 })]),
    }),
    100,
  );
  t.regex(page, /^Verdict: root@old will work in a container here$/m);
  t.regex(page, /^Listening: not known: \/proc\/net is closed$/m);
  t.regex(page, /Locale +not known: no file sets one/);
  t.regex(page, /^nginx +2 +2\.00 MB/m);
});

test('tables fit the terminal, and nothing on the page is obeyed by it', (t) => {
  const page = describeInspection(
    reportOf({
      hostname: 'old\u001b[31m',
      schedule: known([{ from: '/etc/crontab', when: '* * * * *', what: `${'x'.repeat(300)}\u001b]0;t\u0007` }]),
    }),
    80,
  );
  t.false(/[\u001b\u0007]/.test(page));
  t.true(page.split('\n').every((line) => !line.startsWith('* * *') || line.length <= 80));
});

test('a saved inspection is read again, and what differs is told by heading', async (t) => {
  const file = join(await temporaryFolder(t), 'saved.json');
  const nginx = known([ownedProcess('nginx')]);
  writeFileSync(file, savedText(reportOf({ processes: nginx })));
  const saved = readSaved(file);
  t.deepEqual(differences(saved.statements, statementsOf(reportOf({ processes: nginx }).facts)), []);
  t.regex(describeDifferences(saved, []), /^Nothing differs from root@old at 1970/);
  const now = statementsOf(reportOf({ processes: known([ownedProcess('httpd')]), kernel: '5.1' }).facts);
  const found = differences(saved.statements, now);
  t.deepEqual(found, [
    { heading: 'System', gone: ['kernel 4.9.0 on x86_64'], come: ['kernel 5.1 on x86_64'] },
    { heading: 'Processes', gone: ['nginx (/usr/sbin/nginx)'], come: ['httpd (/usr/sbin/httpd)'] },
  ]);
  t.regex(describeDifferences(saved, found), / {2}- nginx .*\n {2}\+ httpd/);
});

test('a number that changes by itself is no difference', (t) => {
  const one = statementsOf(reportOf({ processes: known([ownedProcess('nginx', { pid: 1 })]) }).facts);
  const two = statementsOf(reportOf({ processes: known([ownedProcess('nginx', { pid: 2, residentBytes: 9 })]) }).facts);
  t.deepEqual(one, two);
});

test('a file that is no saved inspection is refused before anything is asked', async (t) => {
  const file = join(await temporaryFolder(t), 'other.json');
  for (const text of ['', '{}', '{"format":"p2c-inspection-9"}', '[]']) {
    writeFileSync(file, text);
    const error = t.throws(() => readSaved(file), { instanceOf: P2cError });
    t.is(error.exitCode, 2);
  }
  t.throws(() => readSaved(join(file, 'none')), { instanceOf: P2cError });
});
