import '@evenkeel/core/register-gradients';
import '@tensorflow/tfjs-backend-cpu';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mul } from '@tensorflow/tfjs-core';
import { defineOp, inspect, type Plugin } from '@evenkeel/core';
import { norms } from '@evenkeel/norms/plugin';
import { describe, expect, it } from 'vitest';
import { styleFor } from '../terminal/colour.ts';
import { inspectPackage, inspectPlugin } from './inspect.ts';
import { printInspect } from './print.ts';

const owner = { name: '@test/double', version: '1.2.3' };

/** An op whose gradient is right for a factor of 2. */
function doubling(factor: number): Plugin {
  const Double = defineOp({
    name: 'Double',
    owner,
    inputs: { x: '...', bias: { shape: 'n', dtype: ['float32', 'int32'], optional: true } },
    attrs: { times: 1 },
    reference: ({ x }) => mul(x, factor),
    gradient: (dy) => ({ x: mul(dy, 2) }),
  });
  return { ...owner, ops: [Double] };
}

const cases = { Double: [{ inputs: { x: { shape: [2, 3] } } }] };

describe('inspectPlugin', () => {
  it('tells signatures, gradients and what serves an op on each backend', async () => {
    const { ops, classes, checks } = await inspectPlugin(norms);
    const found = ops.find(({ id }) => id === '@evenkeel/norms/RMSNorm');
    expect(found).toEqual({
      id: '@evenkeel/norms/RMSNorm',
      signature: expect.stringMatching(/^RMSNorm\(x: \[\.\.\.,n\], gamma\?: \[n\], \{ epsilon = 0\.000001.* \}\)$/),
      gradient: 'its own',
      backends: { cpu: 'reference', wasm: 'kernel', webgpu: 'kernel' },
    });
    expect(ops.find(({ id }) => id === '@evenkeel/norms/RMSNormGrad')?.gradient).toBe('of the reference');
    expect(classes).toContain('RMSNormalization');
    expect(checks).toBeUndefined();
  });

  it('runs the checks that a package brings, and leaves the registry as it was', async () => {
    const good = await inspectPlugin(doubling(2), { cases });
    expect(good.ops[0]!.signature).toBe('Double(x: [...], bias?: [n] float32 or int32, { times = 1 })');
    expect(good.checks!.failures).toEqual([]);
    expect(good.checks!.backends).toContain('cpu');
    expect(inspect().plugins.map(({ name }) => name)).not.toContain(owner.name);
    expect(printInspect(good, styleFor(Object.create({ isTTY: false })))).toContain('differences');

    const bad = await inspectPlugin(doubling(3), { cases });
    expect(bad.checks!.failures.map(({ check }) => check)).toContain('differences');
    expect(printInspect(bad, styleFor(Object.create({ isTTY: false })))).toContain('FAILED gradient');
  });
});

describe('inspectPackage', () => {
  it('says what is not installed, and what has no plugin', async () => {
    await expect(inspectPackage('evenkeel-plugin-nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(inspectPackage('fast-check')).rejects.toThrow('exports a plugin');
  });

  it('finds the ops of others by the packages that their ids name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-inspect-'));
    try {
      const put = (file: string, text: string): void => {
        mkdirSync(dirname(join(folder, 'node_modules', file)), { recursive: true });
        writeFileSync(join(folder, 'node_modules', file), text);
      };
      const manifest = {
        version: '1.0.0',
        type: 'module',
        exports: { '.': './index.js', './plugin': './index.js', './checks': './checks.js' },
      };
      put('evenkeel-plugin-triple/package.json', JSON.stringify({ name: 'evenkeel-plugin-triple', ...manifest }));
      put(
        'evenkeel-plugin-triple/index.js',
        `const owner = { name: 'evenkeel-plugin-triple', version: '1.0.0' };
        const Triple = Object.assign(() => undefined, { id: 'evenkeel-plugin-triple/Triple', definition: { name: 'Triple', owner, inputs: { x: '...' } } });
        export const triple = { ...owner, ops: [Triple] };`,
      );
      put('evenkeel-plugin-faster/package.json', JSON.stringify({ name: 'evenkeel-plugin-faster', ...manifest }));
      put(
        'evenkeel-plugin-faster/index.js',
        `const kernel = { kind: 'wasm', binary: '', plan: () => ({ calls: [] }) };
        export const faster = { name: 'evenkeel-plugin-faster', version: '1.0.0', kernels: [{ op: 'evenkeel-plugin-triple/Triple', kernel }] };`,
      );
      put('evenkeel-plugin-faster/checks.js', 'export const checks = { cases: {} };');
      const { kernels, checks } = await inspectPackage('evenkeel-plugin-faster', { folder });
      expect(kernels).toEqual([{ op: 'evenkeel-plugin-triple/Triple', backend: 'wasm' }]);
      // Known, and without cases; an op that nobody knows is another failure.
      expect(checks!.failures.map(({ message }) => message)).toEqual(['there are no cases for it']);
      expect(inspect().plugins.map(({ name }) => name)).not.toContain('evenkeel-plugin-triple');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
