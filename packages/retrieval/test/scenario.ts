// What works in a program must work in a Worker: it uses nothing of a page.
import { use, backend } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { HubnessCorrectedIndex } from '../src/index.ts';

export async function scenario(): Promise<string[][]> {
  use(wasm());
  await backend('wasm');
  const index = new HubnessCorrectedIndex({ dimensions: 2, beta1: 10 });
  await index.add([
    { id: 'hub', vector: [1, 1] },
    { id: 'right', vector: [1, 0.1] },
    { id: 'up', vector: [0.1, 1] },
  ]);
  const query = [Float32Array.of(1, 0.5)];
  const before = await index.search(query, 3);
  await index.fit({ queries: [Float32Array.of(1, 0.8), Float32Array.of(0.8, 1), Float32Array.of(1, 0.9), Float32Array.of(0.9, 1)] });
  const copy = await HubnessCorrectedIndex.load(await index.save());
  const after = await copy.search(query, 3);
  index.dispose();
  copy.dispose();
  return [before, after].map(([list]) => list!.map(({ id }) => id));
}

/** The hub comes first where nothing corrects it. */
export const expected = [
  ['hub', 'right', 'up'],
  ['right', 'hub', 'up'],
];
