/** Which containers `p2c ps --filter` means, as podman has it: of one key any value, of several keys all. */
import { runInNewContext } from 'node:vm';
import { usageError } from '../errors.ts';
import { STATUSES } from '../runtime/container.ts';
import type { ContainerRecord } from '../runtime/list.ts';

type Test = (record: ContainerRecord) => boolean;

/** podman's engine for patterns takes no longer for any; this one may, for ever. Milliseconds for one name. */
const LONGEST_MATCH = 500;

const KEYS: Readonly<Record<string, (value: string, filter: string) => Test>> = {
  status: statusTest,
  name: nameTest,
  id: (value) => (record) => record.id.startsWith(value),
  ancestor:
    (value) =>
    ({ image }) =>
      image === value || image === `${value}:latest`,
};

/** @returns whether a record fits. @throws P2cError `usage`. */
export function parseFilters(filters: readonly string[]): Test {
  const tests = new Map<string, Test[]>();
  for (const filter of filters) {
    const [key = '', ...rest] = filter.split('=');
    const test = Object.hasOwn(KEYS, key) ? KEYS[key]?.(rest.join('='), filter) : undefined;
    if (test === undefined) {
      throw usageError(`--filter '${filter}' is not known`, {
        code: 'usage',
        hint: 'status=, name=, id= and ancestor= are',
      });
    }
    tests.set(key, [...(tests.get(key) ?? []), test]);
  }
  return (record) => [...tests.values()].every((same) => same.some((fits) => fits(record)));
}

function statusTest(value: string, filter: string): Test {
  const wanted = STATUSES.find((status) => status === value);
  if (wanted !== undefined) return ({ status }) => status === wanted;
  throw usageError(`--filter '${filter}': there is no such status`, {
    code: 'usage',
    hint: `there are: ${STATUSES.join(', ')}`,
  });
}

/** A pattern that fits somewhere in the name; a slash, which docker's names begin with, is passed over. */
function nameTest(value: string, filter: string): Test {
  let pattern: RegExp;
  try {
    pattern = new RegExp(value.replaceAll('/', ''));
  } catch (cause) {
    throw usageError(`--filter '${filter}': the name is no regular expression`, { code: 'usage', cause });
  }
  return ({ name }) => {
    try {
      return runInNewContext('pattern.test(name)', { pattern, name }, { timeout: LONGEST_MATCH }) === true;
    } catch (cause) {
      throw usageError(`--filter '${filter}': this pattern takes too long`, { code: 'usage', cause });
    }
  };
}
