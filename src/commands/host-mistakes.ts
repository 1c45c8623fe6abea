/** What is wrong with the hosts of an inventory, gathered, so that all of it is told at once. */
import { P2cError, usageError } from '../errors.ts';
import type { FleetHost, Setting } from '../fleet/host.ts';
import { formatCount, namesOf } from '../report/units.ts';

interface HostMistake {
  readonly place: string;
  readonly host: string;
  readonly error: P2cError;
}

const MISTAKES_TOLD = 50;

export class HostMistakes {
  readonly #mistakes: HostMistake[] = [];

  /**
   * Does what may find a mistake of the host.
   * @param setting what of the host is looked at: its place in the inventory is told.
   * @returns undefined where there is one. @throws what is no mistake of a person.
   */
  async of<Result>(
    host: FleetHost,
    setting: Setting,
    work: () => Result | Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof P2cError)) throw error;
      this.#mistakes.push({ place: host.place?.(setting) ?? '', host: host.name, error });
      return undefined;
    }
  }

  /** @throws P2cError (exit code 2) with a line for each mistake: those that many hosts have of one place once. */
  throwAny(): void {
    const [first] = this.#mistakes;
    if (first === undefined) return;
    const hosts = new Map<string, HostMistake[]>();
    for (const mistake of this.#mistakes) {
      const key = `${mistake.place}\n${mistake.error.message}`;
      hosts.set(key, [...(hosts.get(key) ?? []), mistake]);
    }
    const lines = [...hosts.values()].map(described);
    const shown = lines.slice(0, MISTAKES_TOLD);
    const left = lines.length - shown.length;
    const heading = lines.length === 1 ? [] : [`the inventory has ${formatCount(lines.length, 'mistake')}`];
    const { code, hint, cause } = first.error;
    throw usageError([...heading, ...shown, ...(left > 0 ? [`… and ${left} more`] : [])].join('\n'), {
      code,
      ...(hint === undefined ? {} : { hint }),
      ...(lines.length > 1 || cause === undefined ? {} : { cause }),
    });
  }
}

/** `fleet.yaml:7:3: web1, web2 and 4 more: what is wrong`. */
function described(mistakes: readonly HostMistake[]): string {
  const names = mistakes.map(({ host }) => host);
  const [first] = mistakes;
  if (first === undefined) return '';
  return `${first.place === '' ? '' : `${first.place}: `}${namesOf(names)}: ${first.error.message}`;
}
