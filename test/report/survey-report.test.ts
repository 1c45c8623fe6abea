import test from 'ava';
import { Anatomy } from '../../src/listing/anatomy.ts';
import { rulesOf } from '../../src/pipeline/stages/rules.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { describeSurvey, type SurveyFindings, surveyReport } from '../../src/report/survey-report.ts';
import { unusedLines } from '../../src/report/survey-sections.ts';
import { swapFiles } from '../../src/source/facts.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { directory } from '../helpers/entries.ts';
import { situation } from '../helpers/inspection.ts';
import { isSafe } from '../helpers/is-safe.ts';

/** Clears the screen by C0, by C1 in UTF-8, and turns text around. */
const HOSTILE = '\\033[2J\\302\\2332J\\342\\200\\256\\012\\177';

test('rules that are made of hostile names reach no terminal as they are', (t) => {
  const table = `1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:1 /b /bind${HOSTILE} rw - ext4 /dev/a${HOSTILE} rw\n`;
  const facts = {
    ...situation().facts,
    hostname: '\x1b[2J',
    filesystems: classifyMounts(parseMountinfo(Buffer.from(table))),
    swapFiles: swapFiles(byteStringFromText(`/swap${HOSTILE} none swap sw 0 0\n`)),
  };
  const request = { target: parseTarget('a'), connect: { retries: 0 }, profiles: [], recognise: false, rules: [] };
  const { rules } = rulesOf({ ...request, sparse: 'skip' }, facts);
  const hostile = rules.filter(({ id }) => /swap|bind/.test(id));
  t.is(hostile.length, 2);
  const { path } = directory('/x');
  const findings: SurveyFindings = {
    target: 'a',
    facts,
    detections: [],
    profiles: [],
    entries: 1,
    problems: [],
    audited: {
      duplicates: { duplicates: [], total: 0, byCause: { 'bind mount': 0, 'mount point under a parent': 0 } },
      anatomy: new Anatomy(),
      losses: [],
      explanations: hostile.map(({ id, reason }) => ({ path, verdict: 'left out', rule: id, reason })),
    },
    unusedRules: hostile,
    plan: {
      entries: 1,
      bytes: 1,
      tarBytes: 1,
      excluded: hostile.map((rule) => ({ rule, entries: 1, bytes: 1, examples: [path] })),
    },
    layers: 1,
    ledger: [],
  };
  const report = surveyReport(findings);
  t.true(report.excluded.every(({ rule, reason }) => isSafe(rule) && isSafe(reason)));
  t.true(unusedLines(report).every(isSafe));
  t.true(isSafe(describeSurvey(report, 200)));
  t.true(isSafe(describeSurvey({ ...report, why: [] }, 200)));
  t.true(isSafe(JSON.stringify(report)));
});
