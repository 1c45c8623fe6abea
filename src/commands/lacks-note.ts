/** Tells what a new container could not be given on this machine. */
import type { Container } from '../runtime/container.ts';

/** On standard error. */
export function tellLacks({ definition: { lacks = [] } }: Container): void {
  for (const lack of lacks) process.stderr.write(`p2c: ${lack}\n`);
}
