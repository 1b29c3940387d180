// What is measured, op by op. A row says what one call computes on whatever engine is set, and how much work that is.
import { conv2d, depthwiseConv2d, dispose, engine, matMul, mul, softmax, sum, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { normal } from '../harness/random.ts';
import type { Model } from './onnx.ts';

/** What a kernel's time is spent on. */
export type Bound = 'multiply-adds' | 'exponentials' | 'bytes';

export interface Row {
  readonly group: string;
  readonly name: string;
  readonly bound: Bound;
  /** Floating-point operations of one call, a multiply-add as two; 0 where bytes are the bound. */
  readonly flops: number;
  /** Bytes that one call cannot avoid to move. */
  readonly bytes: number;
  /** On the engine that is set: the inputs. */
  inputs(): Tensor[];
  /** One call. */
  call(inputs: readonly Tensor[]): Tensor;
  /** What a call is compared by: all of its result, unless the plain CPU backend would take minutes for that. Default: `call` there. */
  readonly check?: { wanted(inputs: readonly Tensor[]): Tensor; of(result: Tensor, inputs: readonly Tensor[]): Tensor };
  /** Engines that are not timed, and why. */
  readonly leaveOut?: Readonly<Record<string, string>>;
  /** The same for onnxruntime, if it has it. */
  readonly onnx?: Model;
}

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

const random = (shape: readonly number[], seed: number): Tensor => tensor(normal(size(shape), seed), [...shape]);

function product(m: number, k: number, n: number, transposeA: boolean, transposeB: boolean, batch?: number): Row {
  const lead = batch === undefined ? [] : [batch];
  const a = [...lead, ...(transposeA ? [k, m] : [m, k])];
  const b = [...lead, ...(transposeB ? [n, k] : [k, n])];
  const form = `${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`;
  return {
    group: 'matMul',
    name: `${batch === undefined ? '' : `${batch} of `}${m}x${k}x${n} ${form}`,
    bound: 'multiply-adds',
    flops: 2 * m * k * n * (batch ?? 1),
    bytes: 4 * (size(a) + size(b) + m * n * (batch ?? 1)),
    inputs: () => [random(a, 1), random(b, 2)],
    call: ([x, y]) => matMul(x!, y!, transposeA, transposeB),
    ...(transposeA || transposeB
      ? batch === undefined && {
          onnx: {
            node: { op: 'Gemm', attributes: { transA: { int: transposeA ? 1 : 0 }, transB: { int: transposeB ? 1 : 0 } } },
            inputs: [a, b],
            output: [m, n],
          },
        }
      : { onnx: { node: { op: 'MatMul', attributes: {} }, inputs: [a, b], output: [...lead, m, n] } }),
  };
}

interface Convolution {
  readonly x: readonly [n: number, h: number, w: number, c: number];
  readonly filter: number;
  /** Output channels; of a depthwise convolution the multiplier. */
  readonly out: number;
  readonly stride?: number;
  readonly depthwise?: boolean;
}

type Pass = 'forward' | 'input gradient' | 'filter gradient';

function convolution({ x, filter, out, stride = 1, depthwise = false }: Convolution, pass: Pass): Row {
  const [n, h, w, c] = x;
  const y = [n, Math.ceil(h / stride), Math.ceil(w / stride), depthwise ? c * out : out] as const;
  const weights = [filter, filter, c, out] as const;
  const apply = (input: Tensor, kernel: Tensor): Tensor =>
    (depthwise ? depthwiseConv2d : conv2d)(input as never, kernel as never, [stride, stride], 'same') as Tensor;
  const flops = 2 * size(y) * filter * filter * (depthwise ? 1 : c);
  const title = `${depthwise ? 'depthwise ' : ''}${filter}x${filter}${stride > 1 ? ` stride ${stride}` : ''} [${x.join()} -> ${y[3]}]`;
  const rest = { group: depthwise ? 'depthwise' : 'conv2d', name: `${title} ${pass}`, bound: 'multiply-adds' as const, flops };
  const bytes = 4 * (size(x) + size(y) + size(weights));
  const inputs = (): Tensor[] => [random(x, 1), random(weights, 2), random(y, 3)];
  if (pass !== 'forward') {
    const kernel = `${depthwise ? 'DepthwiseConv2dNative' : 'Conv2D'}Backprop${pass === 'input gradient' ? 'Input' : 'Filter'}`;
    const attributes = {
      strides: [stride, stride],
      pad: 'same',
      dataFormat: 'NHWC',
      dilations: [1, 1],
      inputShape: x,
      filterShape: weights,
    };
    // tf.grad would run the forward pass as well.
    const gradient = (tensors: { x?: Tensor; filter?: Tensor; dy: Tensor }): Tensor =>
      engine().runKernel(kernel, tensors, attributes as never) as Tensor;
    return {
      ...rest,
      bytes,
      inputs,
      call: ([a, b, dy]) => (pass === 'input gradient' ? gradient({ dy: dy!, filter: b! }) : gradient({ x: a!, dy: dy! })),
      // A convolution is linear in either input: sum(gradient * input) = sum(dy * convolution).
      check: {
        wanted: ([a, b, dy]) => tidy(() => sum(mul(dy!, apply(a!, b!)))),
        of: (result, [a, b]) => tidy(() => sum(mul(result, pass === 'input gradient' ? a! : b!))),
      },
      ...(flops > 3e8 && { leaveOut: { 'tfjs-cpu': 'a call takes from ten seconds to minutes' } }),
    };
  }
  const total = Math.max(0, (y[1] - 1) * stride + filter - h);
  const pads = [Math.floor(total / 2), Math.floor(total / 2), Math.ceil(total / 2), Math.ceil(total / 2)];
  return {
    ...rest,
    bytes,
    inputs,
    call: ([a, b]) => apply(a!, b!),
    onnx: {
      node: {
        op: 'Conv',
        attributes: { pads: { ints: pads }, strides: { ints: [stride, stride] }, group: { int: depthwise ? c : 1 } },
      },
      // Channels first.
      inputs: [[n, c, h, w], depthwise ? [c * out, 1, filter, filter] : [out, c, filter, filter]],
      output: [n, y[3], y[1], y[2]],
    },
  };
}

function softmaxRow(rows: number, width: number): Row {
  const shape = [rows, width];
  return {
    group: 'softmax',
    name: `[${shape.join()}]`,
    bound: 'exponentials',
    flops: 0,
    bytes: 8 * size(shape),
    inputs: () => [random(shape, 1)],
    call: ([x]) => softmax(x!),
    onnx: { node: { op: 'Softmax', attributes: { axis: { int: -1 } } }, inputs: [shape], output: shape },
  };
}

const FORMS = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

const PASSES: readonly Pass[] = ['forward', 'input gradient', 'filter gradient'];

const CONVOLUTIONS: readonly Convolution[] = [
  { x: [32, 14, 14, 32], filter: 3, out: 32 },
  { x: [8, 56, 56, 64], filter: 3, out: 64 },
  { x: [32, 14, 14, 128], filter: 1, out: 128 },
  { x: [8, 56, 56, 64], filter: 3, out: 64, stride: 2 },
  { x: [8, 56, 56, 64], filter: 3, out: 1, depthwise: true },
  { x: [8, 56, 56, 64], filter: 3, out: 1, stride: 2, depthwise: true },
];

export const rows: readonly Row[] = [
  ...[128, 512, 1024].flatMap((n) => FORMS.map(([a, b]) => product(n, n, n, a, b))),
  ...FORMS.map(([a, b]) => product(64, 2048, 512, a, b)),
  ...FORMS.map(([a, b]) => product(64, 64, 64, a, b, 64)),
  ...CONVOLUTIONS.flatMap((each) => PASSES.map((pass) => convolution(each, pass))),
  softmaxRow(4096, 64),
  softmaxRow(512, 4096),
];

/** Runs a row's call and frees what it leaves. */
export function run(row: Row, inputs: readonly Tensor[]): void {
  dispose(tidy(() => row.call(inputs)));
}
