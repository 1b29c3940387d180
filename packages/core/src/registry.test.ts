// Two copies of core on a page, as bundlers and nested node_modules make them.
import '@tensorflow/tfjs-backend-cpu';
import { getBackend, getKernelsForBackend, grad, serialization, sum, tensor } from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import './register-gradients.node.ts';
import { squareOp } from '../test/ops.ts';
import * as first from './index.ts';

/** What an import could change. */
const look = (): unknown => [
  getBackend(),
  getKernelsForBackend('cpu').length,
  Object.keys(serialization.SerializationMap.getMap().classNameMap),
  Object.keys(globalThis),
  Object.getOwnPropertySymbols(globalThis).length,
  first.inspect(),
];

test('importing registers nothing, with tfjs or anywhere else', async () => {
  const before = look();
  vi.resetModules();
  await import('./index.ts');
  await import('./testing/index.ts');
  await import('../test/ops.ts');
  expect(look()).toEqual(before);
});

test('two copies share ops, records and gradients', async () => {
  vi.resetModules();
  const second: typeof first = await import('./index.ts');
  const { squareOp: secondSquareOp }: { squareOp: typeof squareOp } = await import('../test/ops.ts');
  expect(second.defineOp).not.toBe(first.defineOp);
  await first.backend('cpu');

  const [ours, theirs] = [squareOp({ name: 'Twin' }), secondSquareOp({ name: 'Twin' })];
  const x = tensor([1, 2, 3]);
  expect(Array.from(theirs({ x }).dataSync())).toEqual([1, 4, 9]);
  expect(first.findOp(ours.id)).toBe(theirs);
  expect(second.inspect()).toEqual(first.inspect());
  // Tensors, tapes and gradients of the two mix.
  const dx = grad((t: typeof x) => sum(ours({ x: theirs({ x: t }) })))(x);
  expect(Array.from(dx.dataSync())).toEqual([4, 32, 108]);

  const plugin = { name: '@test/square', version: '1.0.0', ops: [ours as first.AnyOp] };
  first.use(plugin);
  second.use({ ...plugin, ops: [theirs as first.AnyOp] });
  expect(second.inspect().plugins).toEqual([{ name: '@test/square', version: '1.0.0' }]);
  second.unregister(plugin);
  expect(first.findOp(ours.id)).toBeUndefined();
});

test('an error of one copy is known to the other', async () => {
  vi.resetModules();
  const second: typeof first = await import('./index.ts');
  const error = new second.EvenkeelError('SHAPE', 'x');
  expect(error).not.toBeInstanceOf(first.EvenkeelError);
  expect(first.isEvenkeelError(error, 'SHAPE')).toBe(true);
});
