// Fills a hole by both networks, away from the page.
import '../runner/backends.ts';
import { conv2d, tensor, tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { backend } from '@evenkeel/core';
import { maskShift } from '@evenkeel/norms';
import { inpaint, type Generator } from '../../../recipes/region-norm/generator.ts';
import { load, SIDE, type Scheme } from './network.ts';
import type { Painted, PaintReply, PaintRequest } from './protocol.ts';

/** By backend, since weights live there. */
const loaded = new Map<string, Promise<Generator>>();

function network(scheme: Scheme, { backend: name, weights }: PaintRequest): Promise<Generator> {
  const key = `${name} ${scheme}`;
  const found =
    loaded.get(key) ??
    fetch(weights[scheme])
      .then((response) => response.arrayBuffer())
      .then((bytes) => load(scheme, bytes));
  loaded.set(key, found);
  return found;
}

function decibels(before: Float32Array, after: Float32Array, mask: Float32Array): number {
  let [squares, count] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    if (mask[Math.floor(i / 3)] === 0) continue;
    squares += (before[i]! - after[i]!) ** 2;
    count++;
  }
  return -10 * Math.log10(squares / count);
}

async function paint(request: PaintRequest): Promise<PaintReply> {
  const { detail } = await backend(request.backend);
  const networks = { plain: await network('plain', request), region: await network('region', request) };
  const picture = (): Tensor => tensor(request.picture, [1, SIDE, SIDE, 3]);
  const mask = (): Tensor => tensor(request.mask, [1, SIDE, SIDE, 1]);
  const start = performance.now();
  const filled = async (scheme: Scheme): Promise<Painted> => {
    const result = tidy(() => inpaint(networks[scheme], picture(), mask()));
    const values = (await result.data()) as Float32Array;
    result.dispose();
    return { picture: values, decibels: decibels(request.picture, values, request.mask) };
  };
  const results = { plain: await filled('plain'), region: await filled('region') };
  const milliseconds = performance.now() - start;
  const white = request.picture.map((value, i) => (request.mask[Math.floor(i / 3)] === 1 ? 1 : value));
  const rms = tidy(() => {
    const kernel = networks.plain.weights['down 0'] as unknown as Tensor4D;
    return maskShift(conv2d(tensor(white, [1, SIDE, SIDE, 3]) as Tensor4D, kernel, 1, 'same'), mask()).rms;
  });
  const shift = (await rms.data())[0]!;
  rms.dispose();
  return { kind: 'painted', results, shift, milliseconds, backend: detail };
}

let queue = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<PaintRequest>) => {
  queue = queue
    .then(() => paint(data))
    .catch((error: unknown): PaintReply => ({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }))
    .then((reply) => postMessage(reply));
});
