// Exact search of the 10 nearest, with and without correction: the index on wasm, TensorFlow.js' product and topk, plain loops, usearch.
import '@tensorflow/tfjs-backend-cpu';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { matMul, slice, tensor2d, tidy, topk } from '@tensorflow/tfjs-core';
import { backend, random, use } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { HubnessCorrectedIndex } from '@evenkeel/retrieval';
import { Index, MetricKind } from 'usearch';
import { machine } from '../harness/machine.ts';
import { median, pairedRatio } from '../harness/statistics.ts';
import { digits, megabytes, table } from '../harness/table.ts';

const USAGE = `pnpm bench retrieval [--items 10000,100000] [--dimensions 256,512] [--queries 128] [--rounds 5] [--json FILE]
  --items      sizes of the gallery; 500000 takes 1.1 GB at 512 dimensions
  --queries    queries of a call
  --rounds     calls of each arm, in turn`;

const K = 10;
const BANK = 1000;

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '10000,100000' },
    dimensions: { type: 'string', default: '256,512' },
    queries: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string', default: 'bench/results/retrieval.json' },
    help: { type: 'boolean', default: false },
  },
});

function whole(what: 'items' | 'dimensions' | 'queries' | 'rounds'): number[] {
  const numbers = values[what].split(',').map(Number);
  if (!numbers.every((each) => Number.isSafeInteger(each) && each > 0)) throw new Error(`--${what} is '${values[what]}'\n\n${USAGE}`);
  return numbers;
}

interface Arm {
  readonly name: string;
  /** Queries of a call, where it is too slow for all. */
  readonly queries: number;
  /** Ids of the best of each query, where it finds any. */
  run(): Promise<readonly (readonly string[])[] | undefined>;
}

interface Row {
  readonly arm: string;
  readonly queriesPerSecond: number;
  /** Time a query, as multiple of the uncorrected index', pair by pair of rounds. */
  readonly timesUncorrected: number;
}

interface Result {
  readonly items: number;
  readonly dimensions: number;
  readonly queries: number;
  readonly rows: readonly Row[];
  readonly bytes: HubnessCorrectedIndex['bytes'];
}

/** Vectors of length 1 with a common direction, so that there are hubs. */
function unitVectors(count: number, dimensions: number, seed: number): Float32Array {
  const vectors = random(seed).normal(count * dimensions);
  for (let at = 0; at < vectors.length; at += dimensions) {
    vectors[at]! += 2;
    let squares = 0;
    for (let d = 0; d < dimensions; d++) squares += vectors[at + d]! ** 2;
    for (let d = 0; d < dimensions; d++) vectors[at + d]! /= Math.sqrt(squares);
  }
  return vectors;
}

/** One query at a time, four sums, a list that is kept sorted. */
function plainLoops(queries: Float32Array, items: Float32Array, dimensions: number, count: number): string[][] {
  return Array.from({ length: count }, (_, i) => {
    const best: { id: number; score: number }[] = [];
    for (let j = 0; j < items.length / dimensions; j++) {
      let [a, b, c, e] = [0, 0, 0, 0];
      for (let d = 0; d < dimensions; d += 4) {
        const [q, p] = [i * dimensions + d, j * dimensions + d];
        a += queries[q]! * items[p]!;
        b += queries[q + 1]! * items[p + 1]!;
        c += queries[q + 2]! * items[p + 2]!;
        e += queries[q + 3]! * items[p + 3]!;
      }
      const score = a + b + c + e;
      if (best.length === K && !(score > best.at(-1)!.score)) continue;
      if (best.length === K) best.pop();
      best.push({ id: j, score });
      best.sort((x, y) => y.score - x.score);
    }
    return best.map(({ id }) => `${id}`);
  });
}

async function measure(count: number, dimensions: number, asked: number, rounds: number): Promise<Result> {
  const items = unitVectors(count, dimensions, 1);
  const queries = unitVectors(asked, dimensions, 2);
  const index = new HubnessCorrectedIndex({ dimensions });
  await index.add(Array.from({ length: count }, (_, i) => ({ id: `${i}`, vector: items.subarray(i * dimensions, (i + 1) * dimensions) })));
  await index.fit({ queries: unitVectors(BANK, dimensions, 3), gallery: { sample: Math.min(BANK, count) } });
  const search = async (corrected: boolean): Promise<string[][]> =>
    (await index.search(queries, K, { corrected })).map((list) => list.map(({ id }) => id));
  const [a, b] = [tensor2d(queries, [asked, dimensions]), tensor2d(items, [count, dimensions])];
  const parts = Array.from({ length: Math.ceil(count / 16384) }, (_, i) =>
    slice(b, [i * 16384, 0], [Math.min(16384, count - i * 16384), -1]),
  );
  // tfjs' topk of a hundred thousand columns takes seconds a query.
  const few = Math.min(asked, Math.max(1, Math.floor(400_000 / count)));
  // Building its graph of a hundred thousand takes minutes.
  const graph =
    count <= 20_000
      ? new Index({
          metric: MetricKind.IP,
          dimensions,
          connectivity: 16,
          quantization: 'f32' as never,
          expansion_add: 64,
          expansion_search: 64,
          multi: false,
        })
      : undefined;
  graph?.add(
    BigUint64Array.from({ length: count }, (_, i) => BigInt(i)),
    items,
  );
  const arms: Arm[] = [
    { name: 'index, uncorrected', queries: asked, run: () => search(false) },
    { name: 'index, dual inverted softmax', queries: asked, run: () => search(true) },
    {
      name: 'product alone (our GEMM)',
      queries: asked,
      run: async () => {
        for (const part of parts) matMul(a, part, false, true).dispose();
        return undefined;
      },
    },
    {
      name: 'matMul and topk',
      queries: few,
      run: async () => {
        const found = tidy(() => topk(matMul(tensor2d(queries.slice(0, few * dimensions), [few, dimensions]), b, false, true), K).indices);
        const indices = await found.data();
        found.dispose();
        return Array.from({ length: few }, (_, i) => Array.from(indices.subarray(i * K, (i + 1) * K), String));
      },
    },
    { name: 'plain loops', queries: few, run: async () => plainLoops(queries, items, dimensions, few) },
    ...(graph === undefined
      ? []
      : [{ name: 'usearch, HNSW (approximate)', queries: asked, run: async (): Promise<undefined> => void graph.search(queries, K, 0) }]),
  ];
  const times = arms.map((): number[] => []);
  const wanted = await search(false);
  for (let round = -1; round < rounds; round++) {
    for (const [at, arm] of arms.entries()) {
      const start = performance.now();
      const found = await arm.run();
      // The first round warms up.
      if (round >= 0) times[at]!.push((performance.now() - start) / arm.queries);
      if (found === undefined || arm.name.includes('softmax')) continue;
      found.forEach((list, i) => {
        const shared = list.filter((id) => wanted[i]!.includes(id)).length;
        if (shared < K - 1) throw new Error(`${arm.name} finds others: ${list.join(' ')} against ${wanted[i]!.join(' ')}`);
      });
    }
  }
  const { bytes } = index;
  for (const each of [a, b, ...parts]) each.dispose();
  index.dispose();
  return {
    items: count,
    dimensions,
    queries: asked,
    bytes,
    rows: arms.map(({ name }, at) => ({
      arm: name,
      queriesPerSecond: 1000 / median(times[at]!),
      timesUncorrected: pairedRatio(times[at]!, times[0]!).ratio,
    })),
  };
}

if (values.help) {
  console.log(USAGE);
} else {
  use(wasm());
  await backend('wasm');
  const [asked, rounds] = [whole('queries')[0]!, whole('rounds')[0]!];
  const results: Result[] = [];
  for (const count of whole('items')) {
    for (const dimensions of whole('dimensions')) {
      const result = await measure(count, dimensions, asked, rounds);
      results.push(result);
      console.log(
        `\n${count} items of ${dimensions} dimensions, ${asked} queries a call; vectors ${megabytes(result.bytes.vectors)}, ${result.bytes.items / count} bytes an item, banks ${megabytes(result.bytes.banks)}`,
      );
      console.log(
        table(
          ['', 'queries/s', 'times uncorrected'],
          result.rows.map(({ arm, queriesPerSecond, timesUncorrected }) => [arm, digits(queriesPerSecond), digits(timesUncorrected)]),
        ),
      );
      const by = (name: string): number => result.rows.find(({ arm }) => arm.startsWith(name))!.timesUncorrected;
      console.log(
        `correction costs ${digits(100 * (by('index, dual') - 1))}% (target: 10 at 100,000); search takes ${digits(1 / by('product'))} times the product (target: 1.5)`,
      );
    }
  }
  const { dependencies } = JSON.parse(readFileSync('bench/package.json', 'utf8')) as { dependencies: Record<string, string> };
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine: machine(), versions: { usearch: dependencies['usearch'] }, results }, null, 2)}\n`,
  );
  console.log(`\nwritten to ${values.json}`);
}
