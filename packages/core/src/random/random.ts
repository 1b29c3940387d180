import { expect } from '../errors.ts';
import { normalOf, uniformOf } from './normal.ts';
import { multiplyHigh, philox, wordsOf, type Key } from './philox.ts';

/** Numbers per block: one counter gives so many. */
export const BLOCK = 4;

/** The fourth word of the counter keeps apart what is drawn, and the keys of streams. */
const DRAW = 0;
const STREAM_OF_NUMBER = 1;
const STREAM_OF_TEXT = 2;
const END_OF_TEXT = 3;

/** Where in which sequence numbers lie: all that a kernel needs to make them itself. */
export interface RandomPlace {
  readonly key: readonly [number, number];
  /** The first block of four numbers. */
  readonly offset: number;
}

/**
 * A sequence of random numbers, the same for the same seed on every engine and backend. What is drawn depends on the seed and on what was
 * drawn before, never on time or place; {@link Random.stream} gives sequences that do not depend on what was drawn.
 */
export interface Random extends RandomPlace {
  /** Random words. */
  bits(count: number): Uint32Array;
  /** float32 numbers of [0, 1), multiples of 2^-24. */
  uniform(count: number): Float32Array;
  /** Standard normal float32 numbers, at most 6.7 from 0. */
  normal(count: number): Float32Array;
  /** Integers from 0 to `below` - 1, each as likely as the others. */
  integers(count: number, below: number): Int32Array;
  /** The integers from 0 to `count` - 1 in random order, each order as likely as the others. */
  permutation(count: number): Int32Array;
  /** Another sequence, independent of this one: its own for each name or number, wherever this one stands. */
  stream(name: string | number): Random;
  /** Passes over `count` numbers, and tells where they are. */
  reserve(count: number): RandomPlace;
}

function checkCount(method: string, count: number): void {
  expect(Number.isInteger(count) && count >= 0 && count < 2 ** 31, method, 'count', 'an integer from 0 to 2^31 - 1', count);
}

/** Random words, whole blocks of them; `attempt` says which of several that a number may need. */
export function wordsAt({ key, offset }: RandomPlace, count: number, attempt = 0): Uint32Array {
  const blocks = Math.ceil(count / BLOCK);
  const words = new Uint32Array(blocks * BLOCK);
  for (let block = 0; block < blocks; block++) {
    const [low, high] = wordsOf(offset + block);
    philox(low, high, attempt, DRAW, key, words, block * BLOCK);
  }
  return words;
}

/**
 * Random words below a bound of each: word * bound / 2^32, and another word where that would favour a number.
 *
 * Source: Lemire 2019, "Fast Random Integer Generation in an Interval", algorithm 5.
 */
function integersBelow(place: RandomPlace, count: number, bound: (index: number) => number): Int32Array {
  const words = wordsAt(place, count);
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const below = bound(i);
    let word = words[i]!;
    const surplus = (2 ** 32 - below) % below;
    for (let attempt = 1; Math.imul(word, below) >>> 0 < surplus; attempt++) {
      const at = { key: place.key, offset: place.offset + Math.floor(i / BLOCK) };
      word = wordsAt(at, BLOCK, attempt)[i % BLOCK]!;
    }
    values[i] = multiplyHigh(word, below);
  }
  return values;
}

/** The key of a stream: that of its sequence, folded with the name. */
function keyOf(key: Key, name: string | number): Key {
  const words = new Uint32Array(BLOCK);
  const fold = (c0: number, c1: number, c2: number, purpose: number): void => {
    philox(c0, c1, c2, purpose, key, words);
    key = [words[0]!, words[1]!];
  };
  if (typeof name === 'number') {
    fold(...wordsOf(name), 0, STREAM_OF_NUMBER);
    return key;
  }
  const bytes = new TextEncoder().encode(name);
  const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.length / 12) * 12));
  new Uint8Array(padded.buffer).set(bytes);
  for (let at = 0; at < padded.byteLength; at += 12) {
    fold(padded.getUint32(at, true), padded.getUint32(at + 4, true), padded.getUint32(at + 8, true), STREAM_OF_TEXT);
  }
  fold(bytes.length, 0, 0, END_OF_TEXT);
  return key;
}

function sequence(key: Key): Random {
  let offset = 0;
  const reserve = (method: string, count: number): RandomPlace => {
    checkCount(method, count);
    const place = { key, offset };
    offset += Math.ceil(count / BLOCK);
    return place;
  };
  return {
    key,
    get offset() {
      return offset;
    },
    reserve: (count) => reserve('reserve', count),
    bits: (count) => wordsAt(reserve('bits', count), count).slice(0, count),
    uniform: (count) => uniformOf(wordsAt(reserve('uniform', count), count), count),
    normal: (count) => normalOf(wordsAt(reserve('normal', count), count), count),
    integers(count, below) {
      expect(Number.isInteger(below) && below >= 1 && below <= 2 ** 31, 'integers', 'below', 'an integer from 1 to 2^31', below);
      return integersBelow(reserve('integers', count), count, () => below);
    },
    permutation(count) {
      const choices = integersBelow(reserve('permutation', count), count, (i) => i + 1);
      const order = new Int32Array(count);
      for (let i = 0; i < count; i++) {
        const other = choices[i]!;
        order[i] = order[other]!;
        order[other] = i;
      }
      return order;
    },
    stream(name) {
      const good = typeof name === 'string' || (Number.isSafeInteger(name) && name >= 0);
      expect(good, 'stream', 'name', 'text or an integer >= 0', name);
      return sequence(keyOf(key, name));
    },
  };
}

/**
 * Random numbers of a seed: Philox, a generator that counts instead of carrying state from number to number, so that kernels make the same
 * numbers in parallel. See {@link Random} for what it gives.
 *
 * @param seed - an integer from 0 to 2^53 - 1
 * @throws EvenkeelError INVALID_ARGUMENT for another seed, as do its methods for a bad count, bound or name
 *
 * Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel Random Numbers: As Easy as 1, 2, 3".
 *
 * @example
 * const weights = random(1).stream('weights').normal(4);
 * const order = random(1).stream('epoch').stream(0).permutation(60_000);
 */
export function random(seed: number): Random {
  expect(Number.isSafeInteger(seed) && seed >= 0, 'random', 'seed', 'an integer from 0 to 2^53 - 1', seed);
  return sequence(wordsOf(seed));
}
