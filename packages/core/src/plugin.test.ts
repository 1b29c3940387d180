import '@tensorflow/tfjs-backend-cpu';
import { serialization, tensor } from '@tensorflow/tfjs-core';
import { afterEach, expect, test } from 'vitest';
import { cpuRunner } from '../test/cpu-runner.ts';
import { failure } from '../test/failure.ts';
import { owner, squareOp, wasmProduct } from '../test/ops.ts';
import { pluginOf, providerOf } from '../test/providers.ts';
import { backend, definePlugin, defineOp, findOp, inspect, unregister, use, type AnyOp, type Plugin } from './index.ts';
import { registry } from './registry.ts';

const used = new Set<Plugin>();
const take = (plugin: Plugin, options?: { override: boolean }): void => {
  used.add(plugin);
  use(plugin, options);
};
afterEach(() => {
  for (const plugin of used) unregister(plugin);
  used.clear();
  expect([...registry.ops.keys(), ...registry.layers.keys(), ...registry.replacements.keys(), ...registry.plugins.keys()]).toEqual([]);
});

class Dense extends serialization.Serializable {
  static readonly className: string = 'TestDense';
  getConfig(): serialization.ConfigDict {
    return {};
  }
}
class OtherDense extends Dense {}

const classOf = (name: string): unknown => serialization.SerializationMap.getMap().classNameMap[name]?.[0];

test('use registers ops and classes, unregister takes them out and puts back what was there', () => {
  serialization.registerClass(Dense, 'tfjs');
  const op = squareOp() as AnyOp;
  const plugin = { ...owner, ops: [op], layers: [OtherDense] };
  take(plugin);
  expect(findOp(op.id)).toBe(op);
  expect(classOf('TestDense')).toBe(OtherDense);
  expect(inspect()).toMatchObject({ plugins: [owner], ops: [{ op: op.id, owner: owner.name }] });
  // Twice is once.
  use(plugin);
  unregister(plugin);
  expect(findOp(op.id)).toBeUndefined();
  expect(classOf('TestDense')).toBe(Dense);
  unregister(plugin);
  delete serialization.SerializationMap.getMap().classNameMap['TestDense'];
});

test('a class that was nobody before is nobody after', () => {
  const plugin = { ...owner, layers: [Dense] };
  take(plugin);
  unregister(plugin);
  expect(classOf('TestDense')).toBeUndefined();
});

test('ops that register themselves go with the plugin that owns them', () => {
  const plugin = { ...owner, ops: [] };
  take(plugin);
  const op = squareOp() as AnyOp;
  op({ x: tensor([1]) });
  expect(findOp(op.id)).toBe(op);
  unregister(plugin);
  expect(findOp(op.id)).toBeUndefined();
});

test('lists may be nested and hold what is falsy', () => {
  const plugins = [1, 2, 3].map((n) => ({ name: `@test/${n}`, version: '1.0.0' }));
  for (const plugin of plugins) used.add(plugin);
  use([plugins[0]!, [plugins[1]!, [false, null, undefined, plugins[2]!]]]);
  expect(inspect().plugins).toEqual(plugins);
  unregister([plugins[0]!, [plugins[1]!]]);
  expect(inspect().plugins).toEqual([plugins[2]]);
});

test.each([
  [{ name: '', version: '1' }, 'name', 'definePlugin: name is "", expected a non-empty string'],
  [{ name: 'x', version: undefined as never }, 'version', 'definePlugin: version is undefined, expected a non-empty string'],
])('a plugin must have a name and a version: %o', (plugin, argument, message) => {
  expect(failure(() => definePlugin(plugin))).toMatchObject({ code: 'INVALID_ARGUMENT', argument, message });
});

const rival = { name: '@rival/square', version: '2.0.0' };

test('a name of another owner is an error that names both and changes nothing, unless overridden', () => {
  const mine = squareOp({ name: '@test/square/Same' }) as AnyOp;
  const theirs = squareOp({ name: '@test/square/Same', owner: rival }) as AnyOp;
  const fresh = squareOp({ owner: rival }) as AnyOp;
  const first = { ...owner, ops: [mine], layers: [Dense] };
  take(first);
  for (const [second, what] of [
    [{ ...rival, ops: [fresh, theirs] }, 'op @test/square/Same'],
    [{ ...rival, ops: [fresh], layers: [OtherDense] }, 'layer TestDense'],
  ] as const) {
    expect(failure(() => use(second))).toMatchObject({
      code: 'DUPLICATE',
      message: `${what} of @rival/square 2.0.0 is already taken by @test/square 1.0.0; use(plugin, { override: true }) replaces it`,
    });
    expect([findOp(fresh.id), findOp(mine.id), classOf('TestDense')]).toEqual([undefined, mine, Dense]);
    expect(inspect().plugins).toEqual([owner]);
  }
  const second = { ...rival, ops: [theirs], layers: [OtherDense] };
  take(second, { override: true });
  expect([findOp(mine.id), classOf('TestDense')]).toEqual([theirs, OtherDense]);
  // The loser's own calls are refused as well.
  expect(failure(() => mine({ x: tensor([1]) }))).toMatchObject({ code: 'DUPLICATE' });
  unregister(second);
  expect(classOf('TestDense')).toBeUndefined();
});

const sharedOp = (version: string): AnyOp => squareOp({ name: 'Shared', owner: { ...owner, version } }) as AnyOp;

test('a second copy of one version is shared, another version is refused, naming both', () => {
  const [first, copy, newer] = [sharedOp('1.0.0'), sharedOp('1.0.0'), sharedOp('1.1.0')];
  take({ ...owner, ops: [first] });
  use({ ...owner, ops: [copy] });
  expect(findOp('@test/square/Shared')).toBe(first);
  expect(Array.from(copy({ x: tensor([3]) }).dataSync())).toEqual([9]);
  expect(failure(() => use({ ...owner, version: '1.1.0', ops: [newer] }))).toMatchObject({
    code: 'VERSION_CONFLICT',
    message: 'plugin @test/square is registered by @test/square 1.0.0 and again by @test/square 1.1.0; install one version of @test/square',
  });
  expect(failure(() => newer({ x: tensor([3]) }))).toMatchObject({
    code: 'VERSION_CONFLICT',
    message: expect.stringContaining('op @test/square/Shared is registered by @test/square 1.0.0 and again by @test/square 1.1.0'),
  });
  const upgraded = { ...owner, version: '1.1.0', ops: [newer] };
  take(upgraded, { override: true });
  expect(findOp('@test/square/Shared')).toBe(newer);
});

test("a kernel for somebody else's op takes effect at once, by op or by id, and goes again", async () => {
  await backend('cpu');
  const runner = cpuRunner(({ x }, storage) => [
    { dataId: storage.write(Float32Array.from([42]), [1], 'float32'), shape: x!.shape, dtype: 'float32' },
  ]);
  take(runner);
  await backend('cpu');
  const op = squareOp({ kernels: () => [] }) as AnyOp;
  const call = (): number => op({ x: tensor([3]) }).dataSync()[0];
  expect(call()).toBe(9);
  const faster = { name: '@test/faster', version: '1.0.0', kernels: [{ op, kernel: wasmProduct() }] };
  take(faster);
  expect(call()).toBe(42);
  expect(inspect().calls).toContainEqual({ op: op.id, backend: 'cpu', served: 'kernel', by: '@test/faster', calls: 1 });
  const rivalKernel = { ...rival, kernels: [{ op: op.id, kernel: wasmProduct() }] };
  expect(failure(() => use(rivalKernel)).message).toContain(
    `wasm kernel for ${op.id} of @rival/square 2.0.0 is already taken by @test/faster 1.0.0`,
  );
  unregister(faster);
  expect(call()).toBe(9);
  unregister(op);
});

test('backends come and go, and are told so', () => {
  let told = 0;
  const plugin = pluginOf(providerOf('thing', 1, {}, { unregister: () => told++ }));
  take(plugin);
  expect(inspect().backends).toEqual(['thing']);
  unregister(plugin);
  expect([inspect().backends, told]).toEqual([[], 1]);
});

test('an op is found by its id only, and ids have a namespace', () => {
  const op = defineOp({ name: 'Named', owner, inputs: {}, output: () => ({ shape: [], dtype: 'float32' }), reference: () => tensor(1) });
  expect(op.id).toBe('@test/square/Named');
  expect(defineOp({ ...op.definition, name: '@other/thing/Named' }).id).toBe('@other/thing/Named');
  expect(Array.from(op({}).dataSync())).toEqual([1]);
  expect(findOp('Named')).toBeUndefined();
  unregister(op as AnyOp);
});
