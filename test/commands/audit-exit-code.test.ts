import test from 'ava';
import { exitCodeOf } from '../../src/commands/audit-options.ts';
import { SURVEY_REPORT } from '../helpers/survey-report.ts';

const listing = { entries: 9, problems: ["find: '/data': Input/output error"] };
const duplicates = { ...SURVEY_REPORT.duplicates, total: 2 };
const clean = { ...SURVEY_REPORT, listing: { entries: 9, problems: [] }, duplicates: { ...duplicates, total: 0 } };
const why: typeof clean.why = [{ path: '/data/x', verdict: 'not there', rule: null, reason: 'test' }];

test('an audit: paths that a tar would hold twice come before places that could not be looked at', (t) => {
  t.is(exitCodeOf(clean), 0);
  t.is(exitCodeOf({ ...clean, duplicates }), 4);
  t.is(exitCodeOf({ ...clean, listing }), 3);
  t.is(exitCodeOf({ ...clean, listing, duplicates }), 4);
});

test('an audit that is asked about paths: what could not be looked at may be one of them, and duplicates do not matter', (t) => {
  t.is(exitCodeOf({ ...clean, why, duplicates }), 0);
  t.is(exitCodeOf({ ...clean, why, listing, duplicates }), 3);
});
