import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-node';
import type { Arm, Outputs } from '../harness/arm.ts';
import { encodeModel } from '../onnx/model.ts';
import { EPSILON, NUM_GROUPS, parametersOf, type Case, type OpName } from './cases.ts';
import type { Attribute } from '../onnx/model.ts';

interface Operator {
  readonly op: string;
  readonly opset: number;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

const epsilon = { float: EPSILON };
const axis = { int: -1 };

const operators: Partial<Record<OpName, Operator>> = {
  layerNorm: { op: 'LayerNormalization', opset: 17, attributes: { axis, epsilon } },
  rmsNorm: { op: 'RMSNormalization', opset: 23, attributes: { axis, epsilon } },
  batchNorm: { op: 'BatchNormalization', opset: 15, attributes: { epsilon, training_mode: { int: 1 } } },
  groupNorm: { op: 'GroupNormalization', opset: 21, attributes: { epsilon, num_groups: { int: NUM_GROUPS } } },
};

/** Batch and group norm have their channels second there. */
function channelsSecond({ op }: Case): boolean {
  return op === 'batchNorm' || op === 'groupNorm';
}

/** [N, positions, C] as [N, C, positions], or the reverse. */
function swapAxes(values: Float32Array, samples: number, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const swapped = new Float32Array(values.length);
  for (let n = 0, at = 0; n < samples; n++) {
    const base = n * rows * columns;
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) swapped[base + j * rows + i] = values[at++]!;
  }
  return swapped;
}

/** A model of one node, its parameters constant. */
function model(which: Case, { op: name, opset, attributes }: Operator, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const { op, data } = which;
  const channels = [data.gamma.length];
  const constants = {
    gamma: { shape: channels, data: data.gamma },
    ...(parametersOf(op).includes('beta') && { beta: { shape: channels, data: data.beta } }),
    ...(op === 'batchNorm' && { zeros: { shape: channels, data: new Float32Array(data.gamma.length) } }),
    ...(op === 'batchNorm' && { ones: { shape: channels, data: new Float32Array(data.gamma.length).fill(1) } }),
  };
  const moving = op === 'batchNorm' ? { mean: channels, variance: channels } : {};
  return encodeModel({
    opset,
    nodes: [{ op: name, inputs: ['x', ...Object.keys(constants)], outputs: ['y', ...Object.keys(moving)], attributes }],
    inputs: { x: shape },
    outputs: { y: shape, ...moving },
    constants,
  });
}

interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => TypedTensor<'float32'>;
}

/** One session of one thread. It infers only: no gradients. */
async function arm(name: string, runtime: Runtime, provider: string, reuseOutput: boolean, which: Case): Promise<Arm | undefined> {
  const operator = operators[which.op];
  if (which.pass !== 'forward' || operator === undefined) return undefined;
  const [samples = 1, channels = 1] = [which.shape[0], which.shape.at(-1)];
  const swapped = channelsSecond(which);
  const shape = swapped ? [samples, channels, ...which.shape.slice(1, -1)] : which.shape;
  const positions = which.data.x.length / samples / channels;
  const session = await runtime.InferenceSession.create(model(which, operator, shape), {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const data = swapped ? swapAxes(which.data.x, samples, positions, channels) : which.data.x;
  const feeds = { x: new runtime.Tensor('float32', data, shape) };
  const reused = { y: new runtime.Tensor('float32', new Float32Array(data.length), shape) };
  const fetches = reuseOutput ? reused : ['y'];
  const run = (): Promise<InferenceSession.OnnxValueMapType> => session.run(feeds, fetches);
  return {
    name,
    note: `${provider}, 1 thread${swapped ? ', channels first' : ''}`,
    run,
    read: async (): Promise<Outputs> => {
      const { y } = await run();
      const values = (y as Tensor).data as Float32Array;
      return { y: swapped ? swapAxes(values, samples, channels, positions) : values.slice() };
    },
    dispose: () => void session.release(),
  };
}

/** The runtime's WASM build. It copies inputs into its heap and outputs out of it: there is no other way to hand them over. */
export async function onnxruntimeWeb(which: Case): Promise<Arm | undefined> {
  const runtime = await import('onnxruntime-web');
  runtime.env.wasm.numThreads = 1;
  // In Node it brings a global Worker along, which one thread does not need. jax-js would take it for a browser's.
  const global = globalThis as { Worker?: unknown };
  const hadWorker = 'Worker' in global;
  try {
    // Outputs cannot be reused: those of a run come back in new arrays, and arrays handed in stay as they were.
    return await arm('onnxruntime-web', runtime as unknown as Runtime, 'wasm', false, which);
  } finally {
    if (!hadWorker) delete global.Worker;
  }
}

/** The runtime's native build. */
export async function onnxruntimeNode(which: Case): Promise<Arm | undefined> {
  const runtime = await import('onnxruntime-node');
  return arm('onnxruntime-node', runtime as unknown as Runtime, 'cpu', true, which);
}
