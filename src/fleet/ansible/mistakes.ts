/** What is wrong in an Ansible file, with its place. */
import { usageError } from '../../errors.ts';
import { printable } from '../../printable.ts';

/** @param line from 1. @returns P2cError `inventory.invalid`. */
export function invalid(file: string, line: number, message: string, column?: number): Error {
  const place = column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`;
  return usageError(`${place}: ${printable(message)}`, { code: 'inventory.invalid' });
}
