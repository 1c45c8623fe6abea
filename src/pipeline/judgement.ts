/** All that an audit tells of the files, put together entry by entry as they are listed. */
import { Anatomy } from '../listing/anatomy.ts';
import { Directories } from '../listing/directories.ts';
import type { Entry } from '../listing/entry.ts';
import type { RuleSet } from '../listing/rules.ts';
import { type CaptureTally, Tally, type TallyWalk } from '../listing/tally.ts';
import type { ByteString } from '../printable.ts';
import type { Profile } from '../profiles/schema.ts';
import { volumePlaces } from '../profiles/volumes.ts';
import type { AuditedListing } from '../report/survey-report.ts';
import { DuplicateAuditor, type DuplicateWalk } from '../source/audit.ts';
import type { Filesystem } from '../source/filesystems.ts';
import { UnanchoredLosses, type UnanchoredWalk } from '../source/unanchored.ts';
import type { SurveyRequest } from './request.ts';
import { Explanations } from './stages/why.ts';

export interface Grounds extends Pick<SurveyRequest, 'why' | 'hazards'> {
  readonly filesystems: readonly Filesystem[];
  readonly rules: RuleSet;
  readonly profiles: readonly Profile[];
}

export interface Judged extends AuditedListing {
  readonly entries: number;
  readonly capture: CaptureTally;
}

export class Judgement {
  readonly #grounds: Grounds;
  readonly #auditor: DuplicateAuditor;
  readonly #anatomy: Anatomy;
  readonly #losses = new UnanchoredLosses();
  readonly #explanations: Explanations;
  readonly #tally: Tally;
  readonly #mountPoints: ReadonlySet<string>;
  #entries = 0;

  constructor(grounds: Grounds) {
    const { filesystems, rules, profiles, why: paths = [], hazards } = grounds;
    this.#grounds = grounds;
    this.#auditor = new DuplicateAuditor(filesystems);
    this.#anatomy = new Anatomy((kind, path) => hazards?.add(kind, path), rules.holes);
    this.#explanations = new Explanations({ paths, filesystems });
    this.#tally = new Tally(rules, volumePlaces(profiles));
    this.#mountPoints = new Set(filesystems.map(({ mountPoint }) => mountPoint));
  }

  /** Of one tree, or of the whole listing where that is sorted. */
  walk(start: ByteString): JudgementWalk {
    const walks = {
      duplicates: this.#auditor.walk(),
      tally: this.#tally.walk(start),
      losses: this.#losses.walk(start),
    };
    return new JudgementWalk(walks, (entry, device, above) => this.#judge(entry, device, above, walks));
  }

  /** What is to be written down of the hazards; wait for it now and then. */
  async drain(): Promise<void> {
    await this.#grounds.hazards?.drain();
  }

  /** Once all entries came. @param complaints of the listing. */
  result(complaints: readonly string[]): Judged {
    this.#anatomy.finish();
    return {
      entries: this.#entries,
      duplicates: this.#auditor.result(),
      anatomy: this.#anatomy,
      losses: this.#losses.result,
      explanations: this.#explanations.result(complaints),
      capture: this.#tally.result(),
    };
  }

  /**
   * @param device of the tree: in a directory of another one, another walk may go on.
   * @param above how many of the directories that came are above the entry.
   */
  #judge(entry: Entry, device: number, above: number, { duplicates, tally, losses }: Walks): void {
    this.#entries += 1;
    duplicates.add(entry, above);
    const rule = this.#grounds.rules.decide(entry);
    this.#explanations.add(entry, rule);
    const junction = entry.type === 'd' && (entry.device !== device || this.#mountPoints.has(entry.path));
    tally.add(entry, above, rule, junction);
    if (rule?.action === 'exclude') {
      if (entry.type === 'd') losses.pass(entry.path);
      return;
    }
    this.#anatomy.add(entry);
    losses.add(entry.path);
  }
}

interface Walks {
  readonly duplicates: DuplicateWalk;
  readonly tally: TallyWalk;
  readonly losses: UnanchoredWalk;
}

/** Takes the entries of one tree, a directory before what is in it. */
export class JudgementWalk {
  readonly #walks: Walks;
  readonly #judge: (entry: Entry, device: number, above: number) => void;
  readonly #directories = new Directories();
  #device: number | undefined;

  constructor(walks: Walks, judge: (entry: Entry, device: number, above: number) => void) {
    this.#walks = walks;
    this.#judge = judge;
  }

  add(entry: Entry): void {
    this.#device ??= entry.device;
    this.#judge(entry, this.#device, this.#directories.leaveFor(entry));
  }

  /** In the place of `add`: the tree's root, where the walk around it has that too. */
  enter(root: Entry): void {
    this.#device = root.device;
    const above = this.#directories.leaveFor(root);
    this.#walks.duplicates.add(root, above, false);
    this.#walks.tally.pass(root.path);
  }
}
