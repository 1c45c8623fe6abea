/** @returns whether a terminal only shows a text: no control character but the newline, and none that turns text around. */
export function isSafe(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text.replaceAll('\n', ''));
}
