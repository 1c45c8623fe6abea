import test from 'ava';
import { scrolledTo } from '../../src/report/scrolling.ts';

const LIST = { last: 50, page: 20 };
const [UP, DOWN, PAGE_DOWN, HOME, END] = ['\x1b[A', '\x1b[B', '\x1b[6~', '\x1b[H', '\x1b[4~'];

test('keys that arrive in one read are obeyed one after the other', (t) => {
  t.is(scrolledTo(0, DOWN.repeat(3), LIST), 3);
  t.is(scrolledTo(5, `${PAGE_DOWN}${UP}`, LIST), 24);
  t.is(scrolledTo(5, `${END}${UP}${UP}`, LIST), 48);
  t.is(scrolledTo(5, `x${DOWN}\x03`, LIST), 6, 'other keys change nothing');
});

test('no further than the list goes, at any key', (t) => {
  t.is(scrolledTo(0, `${UP}${UP}${DOWN}`, LIST), 1);
  t.is(scrolledTo(49, `${PAGE_DOWN}${UP}`, LIST), 49);
  t.is(scrolledTo(30, HOME, LIST), 0);
  t.is(scrolledTo(30, '\x1bOB', LIST), 31, "in the keypad's other mode");
});
