/** Splits the words of a Dockerfile instruction: quotes hold words together, a backslash takes the next character as it is. */
import { usageError } from '../errors.ts';

/** @throws P2cError `change.invalid` for a quote without its end. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let inWord = false;
  let quote = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\' && quote !== "'" && i + 1 < text.length) {
      i += 1;
      word += text.charAt(i);
      inWord = true;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      inWord = true;
    } else if (/\s/.test(char)) {
      if (inWord) words.push(word);
      word = '';
      inWord = false;
    } else {
      word += char;
      inWord = true;
    }
  }
  if (quote !== '') {
    throw usageError(`'${text}' has a ${quote} without its end`, { code: 'change.invalid', hint: 'close the quote' });
  }
  if (inWord) words.push(word);
  return words;
}
