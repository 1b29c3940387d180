// Gradients that tfjs composes of several ops, in as few kernels as 'wasm' needs. A call of a kernel costs some microseconds of bookkeeping
// whatever its size, which is most of a step of a recurrent network.
import {
  backend_util,
  broadcast_util,
  engine,
  getBackend,
  getGradient,
  getKernel,
  registerGradient,
  unregisterGradient,
  util,
  type GradConfig,
  type NamedAttrMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { Differentiable } from './derivative/derivative.ts';

type Gradients = Record<string, () => Tensor>;

/** The gradients of a kernel's inputs, from tensors of float32; undefined where tfjs' own are to be taken. */
type Short = (dy: Tensor, saved: readonly Tensor[], attrs: NamedAttrMap) => Gradients | undefined;

const run = (kernel: string, inputs: Record<string, Tensor>, attrs: NamedAttrMap = {}): Tensor =>
  engine().runKernel(kernel, inputs, attrs) as Tensor;

/** Another tensor of the same values: gradients are disposed one by one, so that none may be handed on as it is. */
function alias(x: Tensor, shape: number[]): Tensor {
  engine().backend.incRef(x.dataId);
  return engine().makeTensorFromTensorInfo({ dataId: x.dataId, shape, dtype: x.dtype });
}

/** dy summed over the axes along which an operand of this shape was broadcast. */
function unbroadcast(dy: Tensor, shape: number[]): Tensor {
  const axes = broadcast_util.getReductionAxes(shape, dy.shape);
  return alias(axes.length > 0 ? run('Sum', { x: dy }, { axis: axes, keepDims: false }) : dy, shape);
}

/** dy times a function's derivative, from what tfjs saves for it. */
const derivativeOf =
  (of: Differentiable, least?: string | number, most?: string | number): Short =>
  (dy, [v], attrs) => {
    const bound = (each: string | number | undefined): number => Number(typeof each === 'string' ? attrs[each] : (each ?? 0));
    return { x: () => run('EvenkeelDerivative', { dy, v: v! }, { of, least: bound(least), most: bound(most) }) };
  };

/** Of a sum over `axis` each summand has the gradient of its sum. */
function spread(dy: Tensor, x: Tensor, { axis }: NamedAttrMap, mean: boolean): Gradients {
  const axes = util.parseAxisParam(axis as unknown as number[], x.shape);
  const shape = x.shape.map((length, i) => (axes.includes(i) ? 1 : length));
  const reps = x.shape.map((length, i) => (axes.includes(i) ? length : 1));
  return {
    x: () => {
      const [, reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes);
      const share = mean ? run('RealDiv', { a: dy, b: count(util.sizeFromShape(reduced)) }) : dy;
      return run('Tile', { x: alias(share, shape) }, { reps });
    },
  };
}

const count = (value: number): Tensor => engine().makeTensor(Float32Array.of(value), [], 'float32');

const SHORT: Readonly<Record<string, Short>> = {
  Add: (dy, [a, b]) => ({ a: () => unbroadcast(dy, a!.shape), b: () => unbroadcast(dy, b!.shape) }),
  Sub: (dy, [a, b]) => ({ a: () => unbroadcast(dy, a!.shape), b: () => run('Neg', { x: unbroadcast(dy, b!.shape) }) }),
  Multiply: (dy, [a, b]) => ({
    a: () => product(dy, b!, a!.shape),
    b: () => product(dy, a!, b!.shape),
  }),
  Reshape: (dy, [x]) => ({ x: () => alias(dy, x!.shape) }),
  Sum: (dy, [x], attrs) => spread(dy, x!, attrs, false),
  Mean: (dy, [x], attrs) => spread(dy, x!, attrs, true),
  Tanh: derivativeOf('Tanh'),
  Sigmoid: derivativeOf('Sigmoid'),
  Relu: derivativeOf('Relu'),
  Relu6: derivativeOf('Relu6', 0, 6),
  ClipByValue: derivativeOf('ClipByValue', 'clipValueMin', 'clipValueMax'),
  Square: derivativeOf('Square'),
  Softmax: (dy, [y], attrs) => (attrs['dim'] === y!.rank - 1 ? { logits: () => run('EvenkeelSoftmaxGrad', { dy, y: y! }) } : undefined),
};

function product(dy: Tensor, other: Tensor, shape: number[]): Tensor {
  const dx = run('Multiply', { a: dy, b: other });
  return util.arraysEqual(dx.shape, shape) ? dx : unbroadcast(dx, shape);
}

/** Kernels of ours that the above take; where one is missing, the backend is another or the app keeps tfjs' own. */
const NEEDED = ['EvenkeelDerivative', 'EvenkeelSoftmaxGrad'];

const isFloat = ({ dtype }: Tensor): boolean => dtype === 'float32';

/** Kernels have no gradient where this is differentiated again; tfjs' formulas have. */
const isLastDerivative = (): boolean => engine().state.gradientDepth === 0;

const ours = new WeakSet<GradConfig>();

function shorten(theirs: GradConfig, short: Short): GradConfig {
  return {
    ...theirs,
    gradFunc: (dy, saved, attrs) => {
      const tensors = saved as Tensor[];
      const fits =
        isLastDerivative() &&
        isFloat(dy as Tensor) &&
        tensors.every(isFloat) &&
        NEEDED.every((kernel) => getKernel(kernel, getBackend()) !== undefined);
      return (fits ? short(dy as Tensor, tensors, attrs) : undefined) ?? theirs.gradFunc(dy, saved, attrs);
    },
  };
}

/** Puts these before what tfjs, or somebody else, registered, which serves where they do not. */
export function shortenGradients(): void {
  for (const [kernel, short] of Object.entries(SHORT)) {
    const theirs = getGradient(kernel);
    if (theirs === undefined || ours.has(theirs)) continue;
    const gradient = shorten(theirs, short);
    ours.add(gradient);
    unregisterGradient(kernel);
    registerGradient(gradient);
  }
}
