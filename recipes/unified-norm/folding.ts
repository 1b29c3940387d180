// Inference of a pre-norm Transformer: with layer norm as tfjs-layers computes it, with our fused layer norm, with unified normalization, and
// with that folded away. All in one run, in turns, so that what else the machine does meets them alike.
import { setImmediate } from 'node:timers/promises';
import {
  add,
  dispose,
  keep,
  matMul,
  memory,
  mul,
  profile,
  relu,
  reshape,
  softmax,
  tensor,
  tidy,
  transpose,
  zeros,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { random, throwIfAborted } from '@evenkeel/core';
import { foldIntoNext, layerNorm, unifiedNormInference, type RunningNorm } from '@evenkeel/norms';
import type { Figures, RunContext } from '../harness/index.ts';

const BATCH = 8;
const TOKENS = 64;
const WIDTH = 128;
const HEADS = 4;
const LAYERS = 4;
const HIDDEN = 512;
const OUTPUTS = 128;
const ROUNDS = 30;
/** Rounds before those that count: the compiler of the engine needs some, and so does the heap. */
const WARM_ROUNDS = 5;
const EPSILON = 1e-5;

/** A dense layer. */
interface Dense {
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

/** A norm, and the layers that read it. */
interface Reading {
  readonly norm: RunningNorm;
  readonly readers: readonly Dense[];
}

/** Query, key and value read the first norm of a block, the feed-forward layer the second, the head the last. */
interface Network {
  readonly blocks: readonly { readonly attention: Reading; readonly out: Dense; readonly feed: Reading; readonly down: Dense }[];
  readonly head: Reading;
}

export const VARIANTS = ['stock layer norm', 'layer norm', 'unified norm', 'folded'] as const;
export type Variant = (typeof VARIANTS)[number];

/** How a variant gets from the stream to what its readers compute. */
type Read = (x: Tensor, reading: Reading) => Tensor[];

const dense = (x: Tensor, { kernel, bias }: Dense): Tensor => add(matMul(x as never, kernel as never), bias);

function makeNetwork(seed: number): Network {
  const sequence = random(seed).stream('weights');
  const normal = (shape: number[], scale: number, shift = 0): Tensor =>
    tensor(
      sequence.normal(shape.reduce((a, b) => a * b, 1)).map((value) => shift + scale * value),
      shape,
    );
  const layer = (inputs: number, outputs: number): Dense => ({
    kernel: normal([inputs, outputs], 1 / Math.sqrt(inputs)),
    bias: normal([outputs], 0.1),
  });
  const reading = (readers: Dense[]): Reading => ({
    norm: { meanSquare: zeros([WIDTH]), gamma: normal([WIDTH], 0.1, 1), beta: normal([WIDTH], 0.1), epsilon: EPSILON },
    readers,
  });
  return {
    blocks: Array.from({ length: LAYERS }, () => ({
      attention: reading([layer(WIDTH, WIDTH), layer(WIDTH, WIDTH), layer(WIDTH, WIDTH)]),
      out: layer(WIDTH, WIDTH),
      feed: reading([layer(WIDTH, HIDDEN)]),
      down: layer(HIDDEN, WIDTH),
    })),
    head: reading([layer(WIDTH, OUTPUTS)]),
  };
}

const heads = (x: Tensor): Tensor => transpose(reshape(x, [BATCH, TOKENS, HEADS, WIDTH / HEADS]), [0, 2, 1, 3]);

/** Outputs of all tokens, [BATCH * TOKENS, OUTPUTS]. */
function infer(input: Tensor, { blocks, head }: Network, read: Read): Tensor {
  let x = input;
  for (const { attention, out, feed, down } of blocks) {
    x = tidy(() => {
      const [query, key, value] = read(x, attention).map(heads) as [Tensor, Tensor, Tensor];
      const weights = softmax(mul(matMul(query, key, false, true), 1 / Math.sqrt(WIDTH / HEADS)));
      const mixed = reshape(transpose(matMul(weights, value), [0, 2, 1, 3]), [-1, WIDTH]);
      const attended = add(x, dense(mixed, out));
      const [hidden] = read(attended, feed);
      return add(attended, dense(relu(hidden!), down));
    });
  }
  return read(x, head)[0]!;
}

/** The mean squares of what each norm gets, as training on such input would have left them. */
function calibrate(input: Tensor, network: Network): Network {
  const calibrated = new Map<Reading, Reading>();
  infer(input, network, (x, reading) => {
    const { norm, readers } = reading;
    const meanSquare = tidy(() => {
      const squares = mul(x, x);
      return reshape(matMul(tensor(new Float32Array(x.shape[0]!).fill(1 / x.shape[0]!), [1, x.shape[0]!]), squares as never), [WIDTH]);
    });
    const measured = { norm: { ...norm, meanSquare: keep(meanSquare) }, readers };
    calibrated.set(reading, measured);
    return readEach(normalizeUnified(x, measured.norm), readers);
  });
  return replaced(network, (reading) => calibrated.get(reading)!);
}

function replaced({ blocks, head }: Network, by: (reading: Reading) => Reading): Network {
  return { blocks: blocks.map((block) => ({ ...block, attention: by(block.attention), feed: by(block.feed) })), head: by(head) };
}

const readEach = (x: Tensor, readers: readonly Dense[]): Tensor[] => readers.map((reader) => dense(x, reader));

const normalizeUnified = (x: Tensor, { meanSquare, gamma, beta }: RunningNorm): Tensor =>
  unifiedNormInference(x, meanSquare, gamma, beta, { epsilon: EPSILON });

/** Layer norm of tfjs-layers, with the parameters of each norm. */
function stockNorms(network: Network): { read: Read; dispose: () => void } {
  const made = new Map<Reading, layers.Layer>();
  replaced(network, (reading) => {
    const layer = layers.layerNormalization({ epsilon: EPSILON });
    layer.build([null, WIDTH]);
    layer.setWeights([reading.norm.gamma!, reading.norm.beta!]);
    made.set(reading, layer);
    return reading;
  });
  return {
    read: (x, reading) => readEach(made.get(reading)!.apply(x) as Tensor, reading.readers),
    dispose: () => made.forEach((layer) => dispose(layer.getWeights())),
  };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

function tensorsOf(network: Network): Tensor[] {
  const found: Tensor[] = [];
  const gather = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('dataId' in value) found.push(value as Tensor);
    else Object.values(value).forEach(gather);
  };
  gather(network);
  return found;
}

/** Bytes of what a variant needs of its network: a folded norm is gone, and layer norm has no running statistic. */
function bytesOf(network: Network, variant: Variant): number {
  let bytes = tensorsOf(network).reduce((sum, { size }) => sum + 4 * size, 0);
  replaced(network, (reading) => {
    const { gamma, beta, meanSquare } = reading.norm;
    const unused = variant === 'folded' ? [gamma!, beta!, meanSquare] : variant === 'unified norm' ? [] : [meanSquare];
    for (const { size } of unused) bytes -= 4 * size;
    return reading;
  });
  return bytes;
}

/** Latency, peak memory and kernel calls of the variants, and how far the folded outputs are from those before. */
export async function runFolding({ seed, scale, signal, progress }: RunContext): Promise<Figures> {
  const rounds = Math.max(3, Math.round(ROUNDS * scale));
  const values = random(seed)
    .stream('input')
    .normal(BATCH * TOKENS * WIDTH);
  const input = tensor(values, [BATCH * TOKENS, WIDTH]);
  const plain = makeNetwork(seed);
  let network = plain;
  tidy(() => {
    network = calibrate(input, plain);
  });
  const folded = replaced(network, ({ norm, readers }) => ({ norm, readers: foldIntoNext(norm, readers) }));
  const stock = stockNorms(network);
  const reads: Record<Variant, readonly [Network, Read]> = {
    'stock layer norm': [network, stock.read],
    'layer norm': [network, (x, { norm, readers }) => readEach(layerNorm(x, norm.gamma, norm.beta, { epsilon: EPSILON }), readers)],
    'unified norm': [network, (x, { norm, readers }) => readEach(normalizeUnified(x, norm), readers)],
    folded: [folded, (x, { readers }) => readEach(x, readers)],
  };
  try {
    const times = Object.fromEntries(VARIANTS.map((variant) => [variant, [] as number[]])) as Record<Variant, number[]>;
    const outputs = {} as Record<Variant, Float32Array>;
    for (let round = 0; round < WARM_ROUNDS + rounds; round++) {
      for (let turn = 0; turn < VARIANTS.length; turn++) {
        // Another one begins each round: what runs first after a pause is slower.
        const variant = VARIANTS[(round + turn) % VARIANTS.length]!;
        const started = performance.now();
        const y = tidy(() => infer(input, ...reads[variant]));
        outputs[variant] = (await y.data()) as Float32Array;
        if (round >= WARM_ROUNDS) times[variant].push(performance.now() - started);
        y.dispose();
      }
      await setImmediate();
      throwIfAborted(signal, 'recipe');
      progress(round + 1, WARM_ROUNDS + rounds);
    }
    const figures: Record<string, number> = {};
    for (const variant of VARIANTS) {
      const [own, read] = reads[variant];
      const before = memory().numBytes;
      const { peakBytes, kernels, result } = await profile(() => tidy(() => infer(input, own, read)));
      dispose(result);
      figures[`ms, ${variant}`] = median(times[variant]);
      figures[`kernels, ${variant}`] = kernels.length;
      figures[`peak MB, ${variant}`] = (peakBytes - before + bytesOf(own, variant)) / 1e6;
    }
    const largest = outputs['unified norm'].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = outputs['unified norm'].reduce((most, value, i) => Math.max(most, Math.abs(value - outputs.folded[i]!)), 0);
    const saved = (figure: string, against: Variant): number =>
      100 * (1 - figures[`${figure}, folded`]! / figures[`${figure}, ${against}`]!);
    return {
      ...figures,
      'time saved, percent': saved('ms', 'layer norm'),
      'time saved against stock, percent': saved('ms', 'stock layer norm'),
      'memory saved, percent': saved('peak MB', 'layer norm'),
      'memory saved against stock, percent': saved('peak MB', 'stock layer norm'),
      'relative difference': off / largest,
    };
  } finally {
    stock.dispose();
    dispose([input, ...new Set([...tensorsOf(plain), ...tensorsOf(network), ...tensorsOf(folded)])]);
  }
}
