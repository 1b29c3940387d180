import { backends } from '../../../../tools/test-backends.ts';
import { mul } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { squareOp } from '../../test/ops.ts';
import { isEvenkeelError } from '../errors.ts';
import { opcheck } from './index.ts';

const cases = [{ inputs: { x: { shape: [3, 5] } } }, { inputs: { x: { shape: [2, 4] } }, attrs: { factor: 3 } }];

test('passes an op that is sound, and says what it covered', async () => {
  const lines: string[] = [];
  const report = await opcheck(squareOp(), cases, { backends, expectKernel: true, print: (line) => lines.push(line) });
  expect(report).toMatchObject({ cases: 2, failures: [], leftOut: [], notCovered: [] });
  for (const backend of backends) {
    for (const [check, times] of Object.entries({ values: 2, gradient: 2, differences: 2, 'second order': 2, 'no leaks': 4, slices: 2 })) {
      expect(report.passed, check).toContainEqual({ check, backend, times });
    }
  }
  for (const backend of ['wasm', 'webgpu']) expect(report.passed).toContainEqual({ check: 'kernel', backend, times: 2 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('2 cases on cpu, wasm, webgpu: ');
});

test('throws one error that lists all failures', async () => {
  const checked = opcheck(squareOp({ gradient: (dy, { x }, { factor }) => ({ x: mul(mul(dy, x), 2.04 * factor) }) }), cases, {
    backends,
    print: false,
  });
  await expect(checked).rejects.toSatisfy((error) => isEvenkeelError(error, 'CHECK_FAILED'));
  await expect(checked).rejects.toThrow(/differences on wasm, case 'x \[3, 5\]': the gradient of x, along a direction, .* \(2\.0 % off/);
});
