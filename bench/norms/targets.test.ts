import { expect, test } from 'vitest';
import type { ArmResult, CaseResult } from './results.ts';
import { targets } from './targets.ts';

const arm = (name: string, median: number, ratio?: number, dispatches?: number): ArmResult => ({
  arm: name,
  median,
  p10: median,
  p90: median,
  min: median,
  cpu: median,
  samples: 1,
  callsPerSample: 1,
  ...(ratio !== undefined && { timesEvenkeel: { ratio, p10: ratio, p90: ratio, pairs: 1 } }),
  gigabytesPerSecond: 1,
  shareOfCopy: 1,
  ...(dispatches !== undefined && { gpu: { dispatches, bytes: 0 } }),
});

const layerNorm = (more: Partial<CaseResult>): CaseResult => ({
  backend: 'wasm',
  op: 'layerNorm',
  pass: 'forward',
  shape: [256, 768],
  arms: [],
  leftOut: [],
  withoutKernel: [],
  ...more,
});

test('a bar is held against the fastest of its peers', () => {
  const found = targets([layerNorm({ arms: [arm('evenkeel', 1), arm('jax-js', 3.9, 3.9), arm('onnxruntime-web', 9, 9)] })]);
  expect(found).toEqual([
    { what: expect.stringContaining('against jax-js, best of') as string, wanted: '>= 4x', found: '3.90x', reached: false },
  ]);
});

test('a run without our kernels reaches nothing', () => {
  const arms = [arm('evenkeel', 1), arm('onnxruntime-node', 3, 3)];
  expect(targets([layerNorm({ arms })])[0]).toMatchObject({ reached: true });
  expect(targets([layerNorm({ arms, withoutKernel: ['LayerNorm: no wasm kernel'] })])[0]).toMatchObject({ reached: false });
});

test('dispatches backward are those beyond the forward ones', () => {
  const forward = layerNorm({ backend: 'webgpu', arms: [arm('evenkeel', 1, undefined, 1)] });
  const both = layerNorm({ backend: 'webgpu', pass: 'forward+backward', arms: [arm('evenkeel', 1, undefined, 4)] });
  expect(targets([forward, both])).toEqual([
    { what: expect.stringContaining('forward [256,768], dispatches') as string, wanted: '<= 1', found: '1', reached: true },
    { what: expect.stringContaining('dispatches backward') as string, wanted: '<= 2', found: '3', reached: false },
  ]);
});
