/** Property tests: short in a test run, for as long as `scripts/fuzz` says otherwise. */
import fc from 'fast-check';

const seconds = Number(process.env['P2C_FUZZ_SECONDS'] ?? 0);

/** Holds the property against `numRuns` made-up cases, or as many as fit into P2C_FUZZ_SECONDS. */
export function held<Values>(property: fc.IProperty<Values>, numRuns: number): void {
  const long = { numRuns: 2 ** 31, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false };
  fc.assert(property, seconds > 0 ? long : { numRuns });
}
