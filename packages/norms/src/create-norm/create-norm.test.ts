import { zeros, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { failure, numbers, start } from '../../test/models.ts';
import * as allLayers from '../layers.ts';
import type { GroupNormalization } from '../group-norm/layer.ts';
import { createNorm, normNameOf, type NormArgs, type NormName } from './index.ts';
import { NORMS, traitsOf } from './table.ts';

beforeAll(() => start('cpu'));

const names = Object.keys(NORMS) as NormName[];

/** Layers whose weights are standardized are no norms. */
const isConvolution = (className: string): boolean => className.startsWith('WS');

describe('createNorm', () => {
  test('has a name for every layer that is a norm', () => {
    const classes = Object.values(allLayers).map(({ className }) => className);
    const cells = new Set<string>(['LayerNormGRUCell', 'LayerNormLSTMCell']);
    const named: string[] = Object.values(NORMS).map(({ layer }) => layer.className);
    expect(named.toSorted()).toEqual(classes.filter((each) => !cells.has(each) && !isConvolution(each)).toSorted());
  });

  test.each(names)('%s takes the shared arguments, and normalizes', async (name) => {
    const { axis, center, scale } = traitsOf(name);
    const layer = createNorm(name, {
      axis: -1,
      epsilon: 1e-4,
      ...(center && { center: false }),
      ...(scale && { scale: true }),
      name: 'norm',
    });
    expect(layer.getClassName()).toBe(NORMS[name].layer.className);
    expect(layer.name).toBe('norm');
    expect(normNameOf(layer)).toBe(name);
    const config = layer.getConfig();
    expect(config).toMatchObject({ epsilon: 1e-4, ...(axis !== 'last' && { axis: -1 }), ...(center && scale && { center: false }) });
    const x = input({ shape: [4, 4, 32] });
    // Of the time, and of the holes.
    const others: Record<string, number[]> = { 'time-dependent': [1], 'time-dependent-rms': [1], region: [4, 4, 1] };
    const second = others[name];
    const inputs = second ? [x, input({ shape: second })] : x;
    const network = model({ inputs, outputs: layer.apply(inputs) as typeof x });
    const batch = numbers([3, 4, 4, 32]);
    const y = network.predict(second ? [batch, zeros([3, ...second])] : batch) as Tensor;
    expect(y.shape).toEqual([3, 4, 4, 32]);
    const values = await y.data();
    expect(values.every(Number.isFinite)).toBe(true);
    expect(Math.max(...values)).toBeGreaterThan(0.5);
  });

  test.each([
    ['power', { axis: 1 }, 'createNorm: axis is 1, expected -1, the only axis of the norm power'],
    ['unified', { axis: [-1, -2] }, 'createNorm: axis is [-1, -2]'],
    ['rms', { center: true }, 'createNorm: center is true, expected false: the norm rms has no beta'],
    ['crms', { scale: true }, 'createNorm: scale is true, expected false: the norm crms has no gamma'],
    ['batch', { axis: [1, 2] }, undefined],
    ['layer', { epsilon: -1 }, 'LayerNormalization: epsilon is -1'],
  ] as const)('%s with %j', async (name, args, message) => {
    if (message === undefined) expect(createNorm(name, args as never).getClassName()).toBe('BatchNormalization');
    else expect((await failure(() => createNorm(name, args as never))).message).toContain(message);
  });

  test('without arguments, and with what only this layer has', () => {
    expect(createNorm('rms').getConfig()).toMatchObject({ epsilon: 1e-6, axis: -1 });
    const layer = createNorm('group', { groups: 4, axis: 1 });
    expectTypeOf(layer).toEqualTypeOf<GroupNormalization>();
    expectTypeOf<NormArgs<'group'>>().toHaveProperty('groups');
    expectTypeOf<NormArgs<'power'>>().not.toHaveProperty('groupss');
    expect(layer.getConfig()).toMatchObject({ groups: 4, axis: 1 });
  });

  test('an unknown name is refused, with those that there are', async () => {
    const { code, message } = await failure(() => createNorm('bach' as NormName));
    expect(code).toBe('NOT_FOUND');
    expect(message).toContain('name is "bach", expected one of batch, batch-channel, crms');
    expect(normNameOf(layers.dense({ units: 1 }))).toBe(undefined);
    expect(normNameOf(layers.batchNormalization())).toBe('batch');
  });
});
