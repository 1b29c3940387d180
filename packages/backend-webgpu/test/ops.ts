// Small ops, whole and broken, for the tests of the runner.
import { add, mul, sub, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp, wgslKernel, type AnyOp, type WgslKernel } from '@evenkeel/core';

const owner = { name: '@test/webgpu', version: '1.0.0' };
const like = ({ x }: { x: Tensor }): { shape: number[]; dtype: 'float32' } => ({ shape: x.shape, dtype: 'float32' });

const MIX = `
// var<storage, read> in a comment is no binding
struct Params { size: u32, hasBias: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>; /* absent: /* nested */ some other */
@binding(2) @group(0) var<storage, read_write> sum: array<f32>;
@group(0) @binding(3) var<storage, read_write> difference: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;
override offset: f32 = 0;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (w.x + w.y * n.x) * 64 + local;
  if (i >= params.size) { return; }
  var b = 0f;
  if (params.hasBias == 1) { b = bias[i]; }
  sum[i] = x[i] * params.scale + b + offset;
  difference[i] = x[i] * params.scale - b - offset;
}`;

/** scale x + bias + offset and scale x - bias - offset, in one dispatch with two outputs. */
export const Mix = defineOp({
  name: 'Mix',
  owner,
  inputs: { x: '...', bias: { shape: '...', optional: true } },
  attrs: { scale: 1, offset: 0 },
  outputs: { sum: like, difference: like },
  reference: ({ x, bias }, { scale, offset }) => {
    const b = bias ? add(bias, offset) : offset;
    return { sum: add(mul(x, scale), b), difference: sub(mul(x, scale), b) };
  },
  kernels: () => [
    wgslKernel<{ scale: number; offset: number }>({
      shaders: { mix: { code: MIX } },
      plan: ({ inputs, attrs: { scale, offset } }) => {
        const size = inputs['x']!.shape.reduce((product, length) => product * length, 1);
        return {
          dispatches: [
            {
              shader: 'mix',
              uniforms: { size, hasBias: inputs['bias'] ? 1 : 0, scale },
              constants: { offset },
              workgroups: Math.ceil(size / 64),
            },
          ],
        };
      },
    }),
  ],
});

const FIRST = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> squares: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) w: vec3u) { squares[w.x] = x[w.x] * x[w.x]; }`;

const SECOND = `
@group(0) @binding(0) var<storage, read> squares: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn double(@builtin(workgroup_id) w: vec3u) { y[w.x] = 2 * squares[w.x]; }`;

/** 2 x^2 by way of a scratch buffer and a second dispatch. */
export const TwicePower = defineOp({
  name: 'TwicePower',
  owner,
  inputs: { x: 'n' },
  reference: ({ x }) => mul(mul(x, x), 2),
  kernels: () => [
    wgslKernel({
      shaders: { first: { code: FIRST }, second: { code: SECOND } },
      plan: ({ inputs }) => ({
        scratch: { squares: inputs['x']! },
        dispatches: [
          { shader: 'first', workgroups: inputs['x']!.shape[0]! },
          { shader: 'second', entryPoint: 'double', workgroups: [inputs['x']!.shape[0]!, 1] },
        ],
      }),
    }),
  ],
});

/** y = x + addend, by a kernel with this text. */
export function opOf(name: string, code: string, plan: Partial<ReturnType<WgslKernel['plan']>['dispatches'][0]> = {}): AnyOp {
  return defineOp({
    name,
    owner,
    inputs: { x: 'n' },
    reference: ({ x }) => add(x, 1),
    kernels: () => [
      wgslKernel({
        shaders: { main: { code } },
        plan: ({ inputs }) => ({ dispatches: [{ shader: 'main', workgroups: inputs['x']!.shape[0]!, ...plan }] }),
      }),
    ],
  });
}

export const HEAD = `@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
`;

export const PLUS_ONE = `${HEAD}@compute @workgroup_size(1) fn main(@builtin(workgroup_id) w: vec3u) { y[w.x] = x[w.x] + 1; }`;

/** A syntax error in line 3. */
export const SYNTAX = `${HEAD}@compute @workgroup_size(1) fn main(@builtin(workgroup_id) w: vec3u) { y[w.x] = x[w.x] + ; }`;
/** A type error in line 3. */
export const TYPE = `${HEAD}@compute @workgroup_size(1) fn main(@builtin(workgroup_id) w: vec3u) { y[w.x] = true; }`;

const FIRST_LANE = `enable subgroups;
${HEAD}@compute @workgroup_size(1) fn main() { y[0] = subgroupBroadcastFirst(x[0]) + 1; }`;

/** y = x + 1 by a shader that needs a feature, or by another where the device has no such feature. `shaders` tells which were run. */
export function variantOp(): { op: AnyOp; shaders: string[] } {
  const shaders: string[] = [];
  const op = defineOp({
    name: 'Variant',
    owner: { ...owner, name: `@test/variant-${variants++}` },
    inputs: { x: 'n' },
    reference: ({ x }) => add(x, 1),
    kernels: () => [
      wgslKernel({
        shaders: { subgroups: { code: FIRST_LANE, requires: ['subgroups'] }, plain: { code: PLUS_ONE } },
        plan: (_, { features }) => {
          const shader = features.has('subgroups') ? 'subgroups' : 'plain';
          shaders.push(shader);
          return { dispatches: [{ shader, workgroups: 1 }] };
        },
      }),
    ],
  });
  return { op, shaders };
}

let variants = 0;
