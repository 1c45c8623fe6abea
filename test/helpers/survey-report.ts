/** A survey's report for tests, with what a test does not care about filled in. */
import type { SurveyReport } from '../../src/report/survey-report.ts';
import { GNU_TAR } from './inspection.ts';

function mount(mountPoint: string, verdict: string): SurveyReport['filesystems'][number] {
  return { mountPoint, verdict, type: 'x', device: 'y', reason: `why ${mountPoint}` };
}

export const SURVEY_REPORT: SurveyReport = {
  source: { target: 'a', hostname: 'a', distribution: 'a', kernel: 'a', machine: 'a' },
  tools: {
    tar: GNU_TAR,
    find: { version: '4.9', flavour: 'gnu' },
    stat: 'gnu',
    sh: 'dash',
    attributeReaders: [],
    compressors: [],
    chosen: { listing: 'find -printf', nanoseconds: true, capture: 'tar' },
  },
  filesystems: [mount('/', 'included'), mount('/home', 'network'), mount('/cd', 'removable'), mount('/proc', 'pseudo')],
  applications: [],
  profiles: [],
  listing: { entries: 1, problems: [] },
  duplicates: { total: 0, byCause: {}, paths: [] },
  capture: { entries: 1, bytes: 1, tarBytes: 1, parts: 1 },
  needs: { disk: { here: 1, source: 0 }, transfer: [] },
  excluded: [],
  unusedRules: [],
  anatomy: { tops: [], largest: [], hazards: [] },
  unanchored: [],
  why: [],
  ledger: [],
};
