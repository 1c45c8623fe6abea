/** Gives back what a run took, in reverse order, on every way out. */
import { P2cError } from '../errors.ts';

type GiveBack = () => Promise<void> | void;

/**
 * What a run holds. Each thing is given back even where another fails; the first failure is thrown at the end.
 * (Node 20 has no AsyncDisposableStack.)
 */
export class Belongings implements AsyncDisposable {
  readonly #items: GiveBack[] = [];

  /** Takes over a disposable and returns it. */
  use<Item extends AsyncDisposable>(item: Item): Item {
    this.#items.push(() => Promise.resolve(item[Symbol.asyncDispose]()));
    return item;
  }

  defer(giveBack: GiveBack): void {
    this.#items.push(giveBack);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let item = this.#items.pop(); item !== undefined; item = this.#items.pop()) {
      try {
        await item();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Does the work with belongings that are given back on every way out. @throws what there is to tell first. */
export async function holding<Result>(work: (held: Belongings) => Promise<Result>): Promise<Result> {
  try {
    await using held = new Belongings();
    return await work(held);
  } catch (error) {
    throw toldFirst(error);
  }
}

/**
 * Of a failure, and a second one while what was held was given back (`await using` makes a SuppressedError of the two),
 * the one to tell. That applications did not start again goes before everything, an interruption too; any other
 * trouble with giving back is less than what ended the run.
 */
function toldFirst(error: unknown): unknown {
  if (!isSuppressed(error)) return error;
  const givingBack = toldFirst(error.error);
  const before = toldFirst(error.suppressed);
  if (!(givingBack instanceof P2cError) || !givingBack.code.startsWith('quiesce.')) return before;
  const { message, code, hint } = givingBack;
  return new P2cError(message, { code, ...(hint === undefined ? {} : { hint }), cause: before });
}

/** By its form: Node 20 has no class of that name, and what stands in for it only sets the name. */
function isSuppressed(error: unknown): error is Error & { error: unknown; suppressed: unknown } {
  return error instanceof Error && error.name === 'SuppressedError' && 'error' in error && 'suppressed' in error;
}
