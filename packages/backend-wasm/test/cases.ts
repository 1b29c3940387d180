// Inputs for every kernel of the 'wasm' backend, tfjs' own too: shapes, types, strides, nothing but negative numbers, NaN and infinities, size 0.
import * as tf from '@tensorflow/tfjs-core';

export interface Case {
  kernel: string;
  label: string;
  /** Made once, and read, so that both backends get the same. */
  inputs: Record<string, tf.Tensor> | readonly tf.Tensor[];
  attrs: tf.NamedAttrMap;
  /** Of the largest value, 2e-6 by default. */
  tolerance?: number;
  /** false: forward only. */
  gradient?: false;
}

type Values = 'normal' | 'negative' | 'positive' | 'special' | 'unit' | 'integers';
type Attrs = Record<string, unknown>;

let state = 1;
const next = (): number => (state = (state * 16807) % 2147483647) / 2147483647;

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5, -3.5, 1e-3];

function value(kind: Values, i: number): number {
  if (kind === 'special') return SPECIAL[i % SPECIAL.length]!;
  if (kind === 'integers') return Math.floor(next() * 7) - 3;
  if (kind === 'unit') return next() * 1.9 - 0.95;
  const z = Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return kind === 'normal' ? z : kind === 'negative' ? -0.1 - Math.abs(z) : 0.1 + Math.abs(z);
}

export function make(shape: readonly number[], kind: Values = 'normal', dtype: 'float32' | 'int32' | 'bool' = 'float32'): tf.Tensor {
  const numbers = Array.from({ length: tf.util.sizeFromShape(shape as number[]) }, (_, i) =>
    value(dtype === 'float32' ? kind : 'integers', i),
  );
  return tf.tensor(dtype === 'bool' ? numbers.map((each) => (each > 0 ? 1 : 0)) : numbers, shape as [number], dtype);
}

const ints = (...values: number[]): tf.Tensor => tf.tensor1d(values, 'int32');

const cases: Case[] = [];

function add(kernel: string, label: string, inputs: Case['inputs'], attrs: Attrs = {}, tolerance?: number): void {
  cases.push({ kernel, label, inputs, attrs: attrs as tf.NamedAttrMap, ...(tolerance !== undefined && { tolerance }) });
}

const UNARY: readonly [string, Values, Attrs?][] = [
  ['Abs', 'normal'],
  ['Acos', 'unit'],
  ['Acosh', 'positive'],
  ['Asin', 'unit'],
  ['Asinh', 'normal'],
  ['Atan', 'normal'],
  ['Atanh', 'unit'],
  ['Ceil', 'normal'],
  ['Cos', 'normal'],
  ['Cosh', 'normal'],
  ['Elu', 'normal'],
  ['Erf', 'normal'],
  ['Exp', 'normal'],
  ['Expm1', 'normal'],
  ['Floor', 'normal'],
  ['IsFinite', 'normal'],
  ['IsInf', 'normal'],
  ['IsNan', 'normal'],
  ['LeakyRelu', 'normal', { alpha: 0.2 }],
  ['Log', 'positive'],
  ['Log1p', 'positive'],
  ['Neg', 'normal'],
  ['Reciprocal', 'normal'],
  ['Relu', 'normal'],
  ['Relu6', 'normal'],
  ['Round', 'normal'],
  ['Rsqrt', 'positive'],
  ['Selu', 'normal'],
  ['Sigmoid', 'normal'],
  ['Sign', 'normal'],
  ['Sin', 'normal'],
  ['Sinh', 'normal'],
  ['Softplus', 'normal'],
  ['Sqrt', 'positive'],
  ['Square', 'normal'],
  ['Step', 'normal', { alpha: 0.3 }],
  ['Tan', 'unit'],
  ['Tanh', 'normal'],
  ['ClipByValue', 'normal', { clipValueMin: -0.5, clipValueMax: 0.7 }],
  ['Identity', 'normal'],
  ['ZerosLike', 'normal'],
  ['OnesLike', 'normal'],
];

function unary(): void {
  for (const [kernel, kind, attrs] of UNARY) {
    for (const shape of [[], [1], [67], [3, 5, 7]]) add(kernel, `${kind} [${shape.join()}]`, { x: make(shape, kind) }, attrs);
    // A pole of the tangent is no place to compare.
    add(kernel, 'negative', { x: kernel === 'Tan' ? make([33], 'unit') : make([33], 'negative') }, attrs);
    add(kernel, 'special', { x: make([23], 'special') }, attrs);
    add(kernel, 'empty', { x: make([0, 3]) }, attrs);
    if (['Cos', 'Sin', 'Tan'].includes(kernel)) continue;
    add(kernel, 'large', { x: tf.tensor1d([30, -30, 88, -88, 100, -100, 1e4, -1e4, 1e10, -1e10, 3e38, -3e38, 1e-30, -1e-30]) }, attrs);
  }
  for (const kernel of [
    'Abs',
    'Neg',
    'Square',
    'Relu',
    'Relu6',
    'ClipByValue',
    'Identity',
    'ZerosLike',
    'OnesLike',
    'Sign',
    'Exp',
    'Floor',
  ]) {
    add(kernel, 'int32', { x: make([9], 'integers', 'int32') }, UNARY.find(([name]) => name === kernel)![2]);
  }
  for (const kernel of ['Identity', 'ZerosLike', 'OnesLike', 'LogicalNot']) add(kernel, 'bool', { x: make([9], 'integers', 'bool') });
  for (const dtype of ['float32', 'int32', 'bool'] as const) {
    for (const to of ['float32', 'int32', 'bool']) {
      add('Cast', `${dtype} to ${to}`, { x: make([11], 'normal', dtype) }, { dtype: to });
      add('Cast', `empty ${dtype} to ${to}`, { x: make([0], 'normal', dtype) }, { dtype: to });
    }
  }
}

const BROADCAST: readonly [number[], number[]][] = [
  [[67], [67]],
  [[], [3, 5]],
  [[3, 5], []],
  [[4, 7], [7]],
  [[7], [4, 7]],
  [
    [4, 1],
    [4, 7],
  ],
  [
    [4, 7],
    [4, 1],
  ],
  [
    [4, 1],
    [1, 7],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
  [
    [2, 1, 3, 1, 2],
    [1, 4, 1, 2, 2],
  ],
  [
    [0, 3],
    [1, 3],
  ],
];

const ARITHMETIC = ['Add', 'Sub', 'Multiply', 'RealDiv', 'SquaredDifference', 'Maximum', 'Minimum', 'FloorDiv', 'Mod', 'Pow', 'Atan2'];
const COMPARISONS = ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'];

function binary(): void {
  for (const kernel of [...ARITHMETIC, ...COMPARISONS]) {
    const kind = kernel === 'Pow' ? 'positive' : COMPARISONS.includes(kernel) ? 'integers' : 'normal';
    for (const [a, b] of BROADCAST)
      add(kernel, `[${a.join()}] and [${b.join()}]`, { a: make(a, kind), b: make(b, kind === 'integers' ? kind : 'positive') });
    add(kernel, 'negative', { a: make([20], 'negative'), b: make([20], 'negative') });
    const [specials, others] = [SPECIAL.flatMap((x) => SPECIAL.map(() => x)), SPECIAL.flatMap(() => SPECIAL)];
    // Powers of 1 and -1 to no number are 1 in C and none in JavaScript; the quotients that cpu floors are integers.
    if (kernel !== 'Pow' && kernel !== 'FloorDiv') add(kernel, 'special', { a: tf.tensor1d(specials), b: tf.tensor1d(others) });
    const b =
      kernel === 'FloorDiv' || kernel === 'Mod'
        ? ints(1, 2, -2, 3, 1, -1, 2, 3, 5, -5, 7, 1, 2)
        : kernel === 'Pow'
          ? ints(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 1)
          : make([13], 'integers', 'int32');
    if (kernel !== 'RealDiv' && kernel !== 'Atan2') add(kernel, 'int32', { a: make([13], 'integers', 'int32'), b });
  }
  for (const kernel of ['LogicalAnd', 'LogicalOr']) {
    for (const [a, b] of BROADCAST)
      add(kernel, `[${a.join()}] and [${b.join()}]`, { a: make(a, 'integers', 'bool'), b: make(b, 'integers', 'bool') });
  }
  for (const kernel of ['Equal', 'NotEqual']) add(kernel, 'bool', { a: make([9], 'integers', 'bool'), b: make([9], 'integers', 'bool') });
  add('BitwiseAnd', 'int32', { a: ints(1, 2, 3, 255), b: ints(3, 2, 5, 128) });
  add('Prelu', 'per channel', { x: make([2, 3, 5]), alpha: make([5]) });
  add('Prelu', 'negative, scalar', { x: make([7], 'negative'), alpha: make([1]) });
  add('EluGrad', '', { dy: make([33]), y: make([33]) });
  add('Select', 'same shapes', { condition: make([3, 5], 'integers', 'bool'), t: make([3, 5]), e: make([3, 5]) });
  add('Select', 'rows', { condition: make([3], 'integers', 'bool'), t: make([3, 5]), e: make([3, 5], 'special') });
  add('Select', 'int32', {
    condition: make([9], 'integers', 'bool'),
    t: make([9], 'integers', 'int32'),
    e: make([9], 'integers', 'int32'),
  });
  add('AddN', '', [make([3, 5]), make([3, 5]), make([3, 5])]);
}

const AXES: readonly [number[], number[]][] = [
  [[], []],
  [[67], [0]],
  [[3, 5], [0]],
  [[3, 5], [1]],
  [
    [3, 5],
    [0, 1],
  ],
  [
    [2, 3, 4, 5],
    [0, 1, 2],
  ],
  [
    [2, 3, 4, 5],
    [1, 3],
  ],
  [
    [2, 3, 4, 5],
    [0, 2],
  ],
  [[0, 3], [1]],
];

function reductions(): void {
  for (const kernel of ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'Any', 'All']) {
    const name = kernel === 'Max' ? 'reductionIndices' : 'axis';
    const dtype = kernel === 'Any' || kernel === 'All' ? 'bool' : 'float32';
    for (const [shape, axes] of AXES) {
      for (const keepDims of [false, true])
        add(
          kernel,
          `[${shape.join()}] over ${axes.join()}, keepDims ${keepDims}`,
          { x: make(shape, 'normal', dtype) },
          { [name]: axes, keepDims },
        );
    }
    if (dtype === 'bool') continue;
    add(kernel, 'negative', { x: make([4, 6], 'negative') }, { [name]: [1], keepDims: false });
    add(kernel, 'special', { x: make([10, 3], 'special') }, { [name]: [0], keepDims: false });
    add(
      kernel,
      'special rows',
      { x: tf.tensor2d([1, NaN, 2, -Infinity, Infinity, 3, -Infinity, -Infinity, -Infinity, 0, -0, 1, 5, 6, 7], [5, 3]) },
      { [name]: [1], keepDims: false },
    );
    add(kernel, 'int32', { x: make([4, 6], 'integers', 'int32') }, { [name]: [1], keepDims: false });
    if (kernel === 'Sum' || kernel === 'Prod') add(kernel, 'empty axis', { x: make([3, 0]) }, { [name]: [1], keepDims: false });
  }
  for (const kernel of ['ArgMax', 'ArgMin']) {
    for (const axis of [0, 1, 2]) add(kernel, `axis ${axis}`, { x: make([3, 4, 5]) }, { axis });
    add(kernel, 'negative', { x: make([4, 6], 'negative') }, { axis: 1 });
    add(kernel, 'int32', { x: make([4, 6], 'integers', 'int32') }, { axis: 1 });
    add(kernel, 'infinities', { x: tf.tensor2d([-Infinity, -Infinity, Infinity, 1, 2, 3], [2, 3]) }, { axis: 1 });
  }
  for (const kernel of ['Cumsum', 'Cumprod']) {
    for (const [exclusive, reverse] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      for (const axis of [0, 1])
        add(kernel, `axis ${axis}, exclusive ${exclusive}, reverse ${reverse}`, { x: make([3, 5]) }, { axis, exclusive, reverse });
    }
  }
  for (const shape of [[1], [3, 7], [2, 3, 64], [0, 3]])
    add('Softmax', `[${shape.join()}]`, { logits: make(shape) }, { dim: shape.length - 1 });
  add('Softmax', 'negative', { logits: make([4, 9], 'negative') }, { dim: 1 });
  add('Softmax', 'special', { logits: make([10, 3], 'special') }, { dim: 1 });
}

function layout(): void {
  const x = make([2, 3, 4, 5]);
  for (const perm of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [0, 2, 1, 3],
    [1, 0, 3, 2],
  ]) {
    add('Transpose', perm.join(), { x }, { perm });
    add('Transpose', `int32 ${perm.join()}`, { x: make([2, 3, 1, 5], 'integers', 'int32') }, { perm });
  }
  add('Transpose', 'bool', { x: make([3, 5], 'integers', 'bool') }, { perm: [1, 0] });
  add('Transpose', 'empty', { x: make([0, 5]) }, { perm: [1, 0] });
  add('Transpose', 'rank 6', { x: make([2, 1, 3, 2, 2, 2]) }, { perm: [5, 3, 1, 0, 4, 2] });
  add('Reshape', '', { x }, { shape: [6, 20] });
  add('Reshape', 'empty', { x: make([0, 3]) }, { shape: [3, 0] });
  add('ExpandDims', '', { input: x }, { dim: 2 });
  for (const reps of [
    [1, 1],
    [2, 3],
    [1, 4],
  ])
    add('Tile', reps.join(), { x: make([3, 5]) }, { reps });
  add('Tile', 'int32', { x: make([3], 'integers', 'int32') }, { reps: [4] });
  for (const dtype of ['float32', 'int32', 'bool'] as const) {
    add('Concat', `${dtype} axis 0`, [make([2, 3], 'normal', dtype), make([1, 3], 'normal', dtype)], { axis: 0 });
    add('Concat', `${dtype} axis 1`, [make([2, 3], 'normal', dtype), make([2, 0], 'normal', dtype), make([2, 4], 'normal', dtype)], {
      axis: 1,
    });
    add('Pack', dtype, [make([2, 3], 'normal', dtype), make([2, 3], 'normal', dtype)], { axis: 1 });
    add('Unpack', dtype, { value: make([2, 3], 'normal', dtype) }, { axis: 1 });
    add('Slice', dtype, { x: make([4, 5], 'normal', dtype) }, { begin: [1, 2], size: [2, 3] });
    add(
      'PadV2',
      dtype,
      { x: make([2, 3], 'normal', dtype) },
      {
        paddings: [
          [1, 0],
          [2, 1],
        ],
        constantValue: dtype === 'bool' ? 0 : 2,
      },
    );
    add('Reverse', dtype, { x: make([2, 3], 'normal', dtype) }, { dims: [1] });
    add('GatherV2', dtype, { x: make([4, 3], 'normal', dtype), indices: ints(2, 0, 2) }, { axis: 0, batchDims: 0 });
  }
  add('Slice', 'empty', { x }, { begin: [0, 0, 0, 0], size: [2, 0, 4, 5] });
  add('Slice', 'rank 5', { x: make([2, 3, 2, 3, 2]) }, { begin: [0, 1, 0, 1, 1], size: [2, 2, 1, 2, 1] });
  add('SplitV', '', { x: make([6, 4]) }, { numOrSizeSplits: [1, 2, 3], axis: 0 });
  add(
    'StridedSlice',
    '',
    { x: make([7, 6]) },
    { begin: [1, 5], end: [6, 0], strides: [2, -2], beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
  );
  add(
    'PadV2',
    'nothing',
    { x },
    {
      paddings: [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      constantValue: 0,
    },
  );
  add(
    'MirrorPad',
    'reflect',
    { x: make([3, 4]) },
    {
      paddings: [
        [1, 2],
        [0, 1],
      ],
      mode: 'reflect',
    },
  );
  add(
    'MirrorPad',
    'symmetric',
    { x: make([3, 4]) },
    {
      paddings: [
        [1, 2],
        [0, 1],
      ],
      mode: 'symmetric',
    },
  );
  add('Reverse', 'all axes', { x }, { dims: [0, 1, 2, 3] });
  add('GatherV2', 'axis 1', { x: make([2, 5, 3]), indices: ints(4, 0, 0, 1) }, { axis: 1, batchDims: 0 });
  add('GatherNd', '', { params: make([3, 4]), indices: tf.tensor2d([0, 1, 2, 3], [2, 2], 'int32') });
  add('ScatterNd', '', { indices: tf.tensor2d([1, 3, 1], [3, 1], 'int32'), updates: make([3]) }, { shape: [5] });
  add('TensorScatterUpdate', '', { tensor: make([5]), indices: tf.tensor2d([1, 3], [2, 1], 'int32'), updates: make([2]) });
  add('SparseToDense', '', { sparseIndices: ints(0, 2), sparseValues: make([2]), defaultValue: tf.scalar(7) }, { outputShape: [4] });
  add('OneHot', '', { indices: ints(0, 3, -1, 9) }, { dtype: 'float32', depth: 5, onValue: 1, offValue: 0 });
  add(
    'BatchToSpaceND',
    '',
    { x: make([4, 2, 2, 1]) },
    {
      blockShape: [2, 2],
      crops: [
        [0, 1],
        [0, 0],
      ],
    },
  );
  add(
    'SpaceToBatchND',
    '',
    { x: make([1, 4, 3, 2]) },
    {
      blockShape: [2, 2],
      paddings: [
        [0, 0],
        [0, 1],
      ],
    },
  );
  add('DepthToSpace', '', { x: make([1, 2, 2, 8]) }, { blockSize: 2, dataFormat: 'NHWC' });
  add('Diag', '', { x: make([3]) });
  add('BroadcastArgs', '', { s0: ints(1, 3), s1: ints(2, 1) });
  add('Fill', '', {}, { shape: [3, 5], value: 2.5, dtype: 'float32' });
  add('LinSpace', '', {}, { start: 0, stop: 1, num: 7 });
  add('Range', '', {}, { start: 1, stop: 9, step: 3, dtype: 'int32' });
  for (const sorted of [true]) add('TopK', '', { x: make([3, 9]) }, { k: 4, sorted });
  add('Unique', '', { x: ints(3, 1, 3, 2, 1) }, { axis: 0 });
  add('SearchSorted', '', { sortedSequence: tf.tensor2d([1, 3, 5, 7], [1, 4]), values: tf.tensor2d([0, 3, 8], [1, 3]) }, { side: 'left' });
  add('Bincount', '', { x: ints(0, 1, 1, 3), weights: make([4]) }, { size: 5 });
  add('DenseBincount', '', { x: ints(0, 1, 1, 3), weights: make([4]) }, { size: 5, binaryOutput: false });
}

function products(): void {
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ]) {
    for (const [m, k, n] of [
      [1, 1, 1],
      [3, 5, 7],
      [17, 33, 18],
      [2, 0, 3],
    ] as const) {
      const [a, b] = [make([2, ...(transposeA ? [k, m] : [m, k])]), make([2, ...(transposeB ? [n, k] : [k, n])])];
      add('BatchMatMul', `${m} x ${k} x ${n}, ${transposeA} ${transposeB}`, { a, b }, { transposeA, transposeB });
    }
  }
  for (const activation of ['linear', 'relu', 'relu6', 'leakyrelu', 'elu', 'sigmoid', 'prelu']) {
    const weights = activation === 'prelu' ? { preluActivationWeights: make([7]) } : {};
    add(
      '_FusedMatMul',
      activation,
      { a: make([2, 3, 5]), b: make([2, 5, 7]), bias: make([7]), ...weights },
      { transposeA: false, transposeB: false, activation, leakyreluAlpha: 0.2 },
    );
    for (const pad of ['same', 'valid']) {
      const attrs = { strides: [1, 1], pad, dataFormat: 'NHWC', dilations: [1, 1], activation, leakyreluAlpha: 0.2 };
      add('FusedConv2D', `${activation} ${pad}`, { x: make([2, 6, 5, 3]), filter: make([3, 3, 3, 7]), bias: make([7]), ...weights }, attrs);
      add(
        'FusedDepthwiseConv2D',
        `${activation} ${pad}`,
        { x: make([2, 6, 5, 7]), filter: make([3, 3, 7, 1]), bias: make([7]), ...weights },
        attrs,
      );
    }
  }
  add('Einsum', 'product', [make([2, 3]), make([3, 4])], { equation: 'ab,bc->ca' });
  add('UnsortedSegmentSum', '', { x: make([5, 3]), segmentIds: ints(0, 2, 0, 1, 2) }, { numSegments: 4 });
}

const EXPLICIT = [
  [0, 0],
  [1, 0],
  [0, 2],
  [0, 0],
];

function convolutions(): void {
  for (const strides of [1, 2, [2, 1]]) {
    for (const pad of ['same', 'valid', EXPLICIT]) {
      const attrs = { strides, pad, dataFormat: 'NHWC', dilations: 1 };
      const label = `strides ${JSON.stringify(strides)}, pad ${JSON.stringify(pad)}`;
      add('Conv2D', label, { x: make([2, 7, 6, 3]), filter: make([3, 2, 3, 5]) }, attrs);
      add('DepthwiseConv2dNative', label, { x: make([2, 7, 6, 3]), filter: make([3, 2, 3, 2]) }, attrs);
      const info = tf.backend_util.computeConv2DInfo([2, 7, 6, 3], [3, 2, 3, 5], strides as number, 1, pad as 'same');
      const dy = make(info.outShape);
      add('Conv2DBackpropInput', label, { dy, filter: make([3, 2, 3, 5]) }, { ...attrs, inputShape: [2, 7, 6, 3] });
      add('Conv2DBackpropFilter', label, { x: make([2, 7, 6, 3]), dy }, { ...attrs, filterShape: [3, 2, 3, 5] });
      const deep = tf.backend_util.computeConv2DInfo([2, 7, 6, 3], [3, 2, 3, 2], strides as number, 1, pad as 'same', undefined, true);
      const depthDy = make(deep.outShape);
      add('DepthwiseConv2dNativeBackpropInput', label, { dy: depthDy, filter: make([3, 2, 3, 2]) }, { ...attrs, inputShape: [2, 7, 6, 3] });
      add('DepthwiseConv2dNativeBackpropFilter', label, { x: make([2, 7, 6, 3]), dy: depthDy }, { ...attrs, filterShape: [3, 2, 3, 2] });
    }
  }
  for (const pad of ['same', 'valid']) {
    add(
      'Conv2D',
      `dilations, ${pad}`,
      { x: make([2, 9, 8, 3]), filter: make([3, 2, 3, 5]) },
      { strides: 1, pad, dataFormat: 'NHWC', dilations: [2, 3] },
    );
    add(
      'DepthwiseConv2dNative',
      `dilations, ${pad}`,
      { x: make([2, 9, 8, 3]), filter: make([3, 2, 3, 1]) },
      { strides: 1, pad, dataFormat: 'NHWC', dilations: [2, 3] },
    );
    const attrs = { strides: [1, 2, 1], pad, dataFormat: 'NDHWC', dilations: [1, 1, 1] };
    add('Conv3D', pad, { x: make([2, 4, 5, 3, 2]), filter: make([2, 3, 2, 2, 3]) }, attrs);
    const info = tf.backend_util.computeConv3DInfo([2, 4, 5, 3, 2], [2, 3, 2, 2, 3], [1, 2, 1], 1, pad as 'same');
    add(
      'Conv3DBackpropInputV2',
      pad,
      { dy: make(info.outShape), filter: make([2, 3, 2, 2, 3]) },
      { ...attrs, inputShape: [2, 4, 5, 3, 2] },
    );
    add('Conv3DBackpropFilterV2', pad, { x: make([2, 4, 5, 3, 2]), dy: make(info.outShape) }, { ...attrs, filterShape: [2, 3, 2, 2, 3] });
  }
  for (const kind of ['normal', 'negative'] as const) {
    const inputs = { x: make([1, 6, 5, 3], kind), filter: make([2, 3, 3], kind) };
    const attrs = { strides: 1, pad: 'same', dilations: 1 };
    add('Dilation2D', kind, inputs, attrs);
    add('Dilation2DBackpropInput', kind, { ...inputs, dy: make([1, 6, 5, 3]) }, attrs);
    add('Dilation2DBackpropFilter', kind, { ...inputs, dy: make([1, 6, 5, 3]) }, attrs);
  }
}

function pooling(): void {
  for (const kind of ['normal', 'negative', 'special'] as const) {
    for (const [filterSize, strides] of [
      [2, 2],
      [3, 1],
      [
        [3, 2],
        [2, 1],
      ],
    ] as const) {
      for (const pad of ['same', 'valid'] as const) {
        const label = `${kind}, ${JSON.stringify(filterSize)} by ${JSON.stringify(strides)}, ${pad}`;
        const attrs = { filterSize, strides, pad };
        const x = make([2, 7, 6, 3], kind);
        const info = tf.backend_util.computePool2DInfo([2, 7, 6, 3], filterSize as number, strides as number, 1, pad);
        const dy = make(info.outShape);
        add('MaxPool', label, { x }, attrs);
        add('AvgPool', label, { x }, attrs);
        add('MaxPoolWithArgmax', label, { x }, { ...attrs, includeBatchInIndex: false });
        add('AvgPoolGrad', label, { dy, input: x }, attrs);
        if (kind !== 'special') add('MaxPoolGrad', label, { dy, input: x, output: x }, attrs);
      }
    }
    for (const pad of ['same', 'valid'] as const) {
      // Cubes: cpu takes a window's height for its width in the gradient.
      const attrs = { filterSize: 2, strides: kind === 'normal' ? 1 : 2, pad, dataFormat: 'NDHWC' };
      const x = make([2, 4, 5, 3, 2], kind);
      const info = tf.backend_util.computePool3DInfo([2, 4, 5, 3, 2], 2, attrs.strides, 1, pad);
      const dy = make(info.outShape);
      add('MaxPool3D', `${kind}, ${pad}`, { x }, attrs);
      add('AvgPool3D', `${kind}, ${pad}`, { x }, attrs);
      add('AvgPool3DGrad', `${kind}, ${pad}`, { dy, input: x }, attrs);
      // Where a window holds nothing but NaN, cpu gives its gradient to somebody.
      if (kind === 'special') cases.findLast(({ kernel }) => kernel === 'MaxPool3D')!.gradient = false;
      if (kind !== 'special') add('MaxPool3DGrad', `${kind}, ${pad}`, { dy, input: x, output: dy }, attrs);
    }
  }
}

function images(): void {
  for (const [alignCorners, halfPixelCenters] of [
    [false, false],
    [true, false],
    [false, true],
  ]) {
    for (const size of [
      [8, 10],
      [3, 2],
    ]) {
      const attrs = { alignCorners, halfPixelCenters, size };
      const label = `to ${size.join()}, corners ${alignCorners}, centers ${halfPixelCenters}`;
      // Square, and one image: cpu's gradients are wrong for others.
      const x = make([1, 5, 5, 3]);
      add('ResizeBilinear', label, { images: x }, attrs);
      add('ResizeNearestNeighbor', label, { images: x }, attrs);
      if (halfPixelCenters) continue;
      const dy = make([1, ...size, 3]);
      add('ResizeBilinearGrad', label, { images: x, dy }, attrs);
      add('ResizeNearestNeighborGrad', label, { images: x, dy }, attrs);
    }
  }
  const x = make([2, 5, 6, 3]);
  add(
    'CropAndResize',
    '',
    { image: x, boxes: tf.tensor2d([0, 0, 0.8, 0.9, 0.1, 0.2, 1, 1], [2, 4]), boxInd: ints(0, 1) },
    { cropSize: [3, 4], method: 'bilinear', extrapolationValue: 0 },
  );
  add('FlipLeftRight', '', { image: x });
  add('RotateWithOffset', '', { image: x }, { radians: 0.4, fillValue: 0, center: 0.5 });
  add(
    'Transform',
    '',
    { image: make([1, 5, 6, 3]), transforms: tf.tensor2d([1, 0.1, 0, 0, 1, 0.2, 0, 0], [1, 8]) },
    { interpolation: 'bilinear', fillMode: 'constant', fillValue: 0, outputShape: [5, 6] },
  );
  add('LRN', '', { x }, { depthRadius: 2, bias: 1, alpha: 0.5, beta: 0.75 }, 1e-5);
  add('LRNGrad', '', { x, y: make([2, 5, 6, 3]), dy: make([2, 5, 6, 3]) }, { depthRadius: 2, bias: 1, alpha: 0.5, beta: 0.75 }, 1e-5);
  add(
    'FusedBatchNorm',
    '',
    { x, mean: make([3]), variance: make([3], 'positive'), offset: make([3]), scale: make([3]) },
    { varianceEpsilon: 1e-3 },
  );
  const boxes = tf.tensor2d([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 2, 1, 3], [3, 4]);
  const scores = tf.tensor1d([0.9, 0.75, 0.6]);
  const attrs = { maxOutputSize: 3, iouThreshold: 0.5, scoreThreshold: 0, softNmsSigma: 0, padToMaxOutputSize: false };
  for (const kernel of ['NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5']) add(kernel, '', { boxes, scores }, attrs);
}

function sparseAndText(): void {
  const indices = tf.tensor2d([0, 0, 2, 1], [2, 2], 'int32');
  add('SparseFillEmptyRows', '', { indices, values: make([2]), denseShape: ints(4, 3), defaultValue: tf.scalar(5) });
  add('SparseReshape', '', { inputIndices: indices, inputShape: ints(4, 3), newShape: ints(2, -1) });
  for (const kernel of ['SparseSegmentMean', 'SparseSegmentSum'])
    add(kernel, '', { data: make([4, 3]), indices: ints(0, 2, 3), segmentIds: ints(0, 0, 1) });
  const text = tf.tensor1d(['a b', 'c', ' d  e'], 'string');
  add('StringSplit', '', { input: text, delimiter: tf.scalar(' ', 'string') }, { skipEmpty: true });
  add('StringToHashBucketFast', '', { input: text }, { numBuckets: 10 });
  const ngrams = { separator: '|', nGramWidths: [2], leftPad: '', rightPad: '', padWidth: 0, preserveShortSequences: false };
  add('StringNGrams', '', { data: text, dataSplits: ints(0, 3) }, ngrams);
}

/** All cases, made anew. */
export function allCases(): Case[] {
  cases.length = 0;
  state = 1;
  for (const group of [unary, binary, reductions, layout, products, convolutions, pooling, images, sparseAndText]) group();
  return [...cases];
}
