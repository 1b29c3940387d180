import { transpose, type Tensor } from '@tensorflow/tfjs-core';
import { unregister, use } from '@evenkeel/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backends, expectClose, expectNoLeak, failure, losses, modelOf, numbers, saveAndLoad, start, values } from '../../test/models.ts';
import { GroupNormalization, InstanceNormalization } from '../layers.ts';
import { norms } from '../plugin.ts';
import { instanceNorm } from './op.ts';

describe.each(backends)('InstanceNormalization on %s', (name) => {
  beforeEach(() => start(name));
  afterEach(() => unregister(norms));

  test('predicts what instanceNorm computes, with channels first too', async () => {
    const x = numbers([2, 4, 3, 5]);
    const [gamma, beta] = [numbers([5], 2), numbers([5], 3)];
    const layer = new InstanceNormalization({ inputShape: [4, 3, 5] });
    const model = modelOf(layer);
    layer.setWeights([gamma, beta]);
    const wanted = instanceNorm(x, gamma, beta, { epsilon: 1e-3 });
    await expectClose(model.predict(x) as Tensor, wanted);
    const first = new InstanceNormalization({ axis: 1, inputShape: [5, 4, 3] });
    const other = modelOf(first);
    first.setWeights([gamma, beta]);
    await expectClose(other.predict(transpose(x, [0, 3, 1, 2])) as Tensor, transpose(wanted, [0, 3, 1, 2]));
  });

  test('trains as group normalization with one channel a group', async () => {
    const x = numbers([4, 3, 3, 2]);
    const ours = await losses(modelOf(new InstanceNormalization({ inputShape: [3, 3, 2] })), x, 4, 1);
    const groups = await losses(modelOf(new GroupNormalization({ groups: -1, inputShape: [3, 3, 2] })), x, 4, 1);
    expect(ours).toEqual(groups);
    expect(ours.at(-1)!).toBeLessThan(ours[0]!);
  });

  test('a single position a channel is an error in training, unless allowed', async () => {
    const x = numbers([4, 1, 1, 2]);
    const model = modelOf(new InstanceNormalization({ inputShape: [1, 1, 2] }));
    expect((await failure(() => losses(model, x, 1))).message).toContain('expected more than one position per channel');
    expect(await values(model.predict(x) as Tensor)).toEqual(Array.from({ length: 8 }, () => 0));
    const allowed = modelOf(new InstanceNormalization({ allowDegenerate: true, inputShape: [1, 1, 2] }));
    expect(await losses(allowed, x, 1)).toHaveLength(1);
  });

  test('saves and loads, leaves no tensor behind', async () => {
    use(norms);
    const layer = new InstanceNormalization({ axis: 1, epsilon: 0.1, center: false, allowDegenerate: true, inputShape: [4, 3] });
    const model = modelOf(layer);
    const loaded = await saveAndLoad(model);
    expect(JSON.stringify(loaded.layers[0]!.getConfig())).toBe(JSON.stringify(layer.getConfig()));
    expect(layer.getConfig()).toMatchObject({ axis: 1, epsilon: 0.1, center: false, allowDegenerate: true });
    const x = numbers([2, 4, 3]);
    expect(await values(loaded.predict(x) as Tensor)).toEqual(await values(model.predict(x) as Tensor));
    await expectNoLeak(() => (model.predict(x) as Tensor).dispose());
  });
});
