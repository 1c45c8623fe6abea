/** Gives back what a run took, in reverse order, on every way out. */

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
