import '../../../../tools/test-backends.browser.ts';
import { describe, expect, test } from 'vitest';
import { backend } from '../backend.ts';
import { inspect, resetInspection } from '../inspect.ts';
import { random, randomBits, randomNormal, randomUniform } from './index.ts';

describe.each(['wasm', 'webgpu'])('in a page, on %s', (name) => {
  test('kernels make the numbers of the sequence', async () => {
    await backend(name);
    resetInspection();
    const count = 1027;
    const tensors = [randomBits([count], 7), randomUniform([count], 7), randomNormal([count], 7)] as const;
    expect(inspect().calls.map(({ served }) => served)).toEqual(['kernel', 'kernel', 'kernel']);
    const [bits, uniform, normal] = await Promise.all(tensors.map((tensor) => tensor.data()));
    expect(bits).toEqual(new Int32Array(random(7).bits(count).buffer, 0, count));
    expect(uniform).toEqual(random(7).uniform(count));
    const worst = random(7)
      .normal(count)
      .reduce((worst, value, i) => Math.max(worst, Math.abs(value - normal![i]!)), 0);
    expect(worst).toBeLessThanOrEqual(name === 'wasm' ? 0 : 2e-6);
    for (const each of tensors) each.dispose();
  });
});
