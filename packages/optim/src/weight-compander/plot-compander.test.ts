import '@tensorflow/tfjs-backend-cpu';
import { tensor, tensor1d, memory } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { backend, isEvenkeelError } from '@evenkeel/core';
import { parseHTML } from 'linkedom';
import { beforeAll, expect, test } from 'vitest';
import { CompandedDense } from './index.ts';
import { plotCompander } from './plot-compander.ts';

const { document } = parseHTML('<body>');
beforeAll(() => backend('cpu'));

test('draws a histogram a layer between its bounds', async () => {
  const layer = new CompandedDense({ units: 4, useBias: false, name: 'first', inputShape: [2] });
  const model = sequential({
    layers: [layer, new CompandedDense({ units: 3, kind: 'identity', kernelInitializer: 'ones', name: 'other' })],
  });
  layer.setWeights([tensor([-50, -50, 0, 0, 0, 0, 0, 50], [2, 4]), tensor1d([2]), tensor1d([1])]);
  const before = memory().numTensors;
  const svg = await plotCompander(model, { document, width: 500 });
  expect(memory().numTensors).toBe(before);
  expect(svg).toMatch(/^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg).toContain('width="500"');
  const drawn = parseHTML(svg).document;
  expect(drawn.querySelectorAll('[aria-label="rule"] line').length).toBeGreaterThanOrEqual(4);
  // The highest bar of the first layer is that of the five zeros: five eighths of all.
  const heights = [...drawn.querySelectorAll('[aria-label="rect"] rect')].map((bar) => Number(bar.getAttribute('height')));
  const filled = heights.filter((height) => height > 0.5).sort((a, b) => a - b);
  expect(filled).toHaveLength(4);
  // A bar begins half a pixel above the ground.
  expect(filled[1]! / filled[0]!).toBeCloseTo(2, 0);
  expect(Math.abs(filled[2]! / filled[0]! - 5)).toBeLessThan(0.5);
  expect(svg).toContain('first');
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test('refuses to draw without a document or a companded layer', async () => {
  const plain = sequential({ layers: [layers.dense({ units: 1, inputShape: [2] })] });
  for (const [options, code] of [
    [{}, 'INVALID_ARGUMENT'],
    [{ document }, 'NOT_FOUND'],
  ] as const) {
    const error: unknown = await plotCompander(plain, options).catch((error: unknown) => error);
    expect(isEvenkeelError(error, code)).toBe(true);
  }
});
