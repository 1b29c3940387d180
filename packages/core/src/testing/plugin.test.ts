import { backends } from '../../../../tools/test-backends.ts';
import { env, serialization } from '@tensorflow/tfjs-core';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { Boastful, Deaf, Forgetful, Hoarder, Leaky, Moody, Scale } from '../../test/layers.ts';
import { owner, squareOp, wgslProduct } from '../../test/ops.ts';
import { inspect, unregister, use, type AnyOp, type Plugin } from '../index.ts';
import { registry } from '../registry.ts';
import { checkPlugin, type CheckPluginOptions } from './index.ts';
import { describeFailure } from './record.ts';

const quiet = { backends, failures: 'return', print: false } as const;

function pluginOf(parts: Partial<Plugin>): Plugin {
  return { ...owner, ...parts };
}

function casesFor(...ops: AnyOp[]): CheckPluginOptions['cases'] {
  return Object.fromEntries(ops.map(({ id }) => [id, [{ inputs: { x: { shape: [3, 5] } }, attrs: { factor: 2 } }]]));
}

/** What checkPlugin finds wrong, in one text. */
async function wrong(plugin: Plugin, options: Partial<CheckPluginOptions> = {}): Promise<string> {
  const { failures } = await checkPlugin(plugin, { ...quiet, cases: casesFor(...(plugin.ops ?? [])), tfjsLayers, ...options });
  return failures.map(describeFailure).join('\n');
}

test('passes a sound plugin and leaves everything as it was, in use or not', async () => {
  const op = squareOp() as AnyOp;
  const plugin = pluginOf({ ops: [op], layers: [Scale] });
  const layers = {
    TestScale: [
      { config: { factor: 3 }, inputShape: [4] },
      { name: 'plain', inputShape: [2, 3] },
    ],
  };
  const report = await checkPlugin(plugin, { ...quiet, cases: casesFor(op), layers, tfjsLayers });
  expect(report.failures).toEqual([]);
  expect(report).toMatchObject({ subject: owner.name, cases: 1, leftOut: [] });
  for (const backend of backends) expect(report.passed).toContainEqual({ check: 'layers', backend, times: 2 });
  for (const backend of ['wasm', 'webgpu']) expect(report.passed).toContainEqual({ check: 'compile', backend, times: 2 });
  expect(inspect().plugins.map(({ name }) => name)).not.toContain(owner.name);
  expect(inspect().ops).toEqual([]);
  expect(serialization.SerializationMap.getMap().classNameMap['TestScale']).toBeUndefined();

  use(plugin);
  expect(await wrong(plugin, { layers })).toBe('');
  expect(registry.plugins.get(owner.name)).toBe(plugin);
  unregister(plugin);
});

test('kernels for the ops of others are checked with those ops', async () => {
  const op = squareOp({ kernels: () => [] }) as AnyOp;
  const faster = { name: '@test/faster', version: '1.0.0' };
  const good: Plugin = { ...faster, kernels: [{ op, kernel: wgslProduct() }] };
  const bad: Plugin = { ...faster, kernels: [{ op: op.id, kernel: wgslProduct({ body: '2 * params.factor' }) }] };
  expect(await wrong(good, { cases: casesFor(op) })).toBe('');
  expect(await wrong(good)).toBe(`cases, case '${op.id}': there are no cases for it`);
  use(pluginOf({ ops: [op] }));
  expect(await wrong(bad, { cases: casesFor(op) })).toMatch(/values on webgpu, case 'Square\d+: x \[3, 5\]': y\[.*, the reference has/);
  unregister(pluginOf({}));
  expect(await wrong(bad, { cases: {} })).toContain(`no op is called ${op.id}`);
});

test('an op or a layer without cases, and cases without an op', async () => {
  const op = squareOp() as AnyOp;
  const found = await wrong(pluginOf({ ops: [op], layers: [Scale] }), { cases: { Cube: [] } });
  expect(found.split('\n')).toEqual([
    `cases, case '${op.id}': there are no cases for it`,
    'cases: no op is called Cube',
    "cases, case 'TestScale': there are no cases for it",
  ]);
});

test('names outside the namespace of the owner', async () => {
  const stray = squareOp({ name: '@other/Square' }) as AnyOp;
  const foreign = squareOp({ owner: { name: '@other', version: '1.0.0' } }) as AnyOp;
  const ops = [stray, foreign, stray];
  const found = await wrong(pluginOf({ ops }), { cases: casesFor(...ops) });
  expect(found).toContain('names: @other/Square is not in the namespace of its owner, @test/square/');
  expect(found).toMatch(/@other\/Square\d+ belongs to @other/);
  expect(found).toContain('@other/Square is there twice');
  unregister(stray);
  unregister(foreign);
});

test('a name that somebody else holds', async () => {
  const op = squareOp() as AnyOp;
  const holder: Plugin = { name: '@test/holder', version: '1.0.0', layers: [Scale] };
  use(holder);
  expect(await wrong(pluginOf({ ops: [op], layers: [Scale] }))).toMatch(
    /registration: threw EvenkeelError: layer TestScale of @test\/square 1\.0\.0 is already taken by @test\/holder 1\.0\.0/,
  );
  unregister(holder);
});

test('what is still there after unregister()', async () => {
  let stays = 0;
  const provider = {
    name: 'test',
    priority: -1,
    runner: { backend: 'test', kind: 'wasm', refuses: () => 'never', run: () => [] } as const,
    probe: () => Promise.resolve({ available: false, preferred: false, detail: 'for this test' }),
    register: () => Promise.resolve(),
    // Every time it is taken out it leaves another class.
    unregister: () => {
      stays++;
      serialization.SerializationMap.getMap().classNameMap[`Stays${stays}`] = [Scale, Scale.fromConfig] as never;
    },
  };
  expect(await wrong(pluginOf({ backends: [provider] }))).toMatch(
    /registration: use\(\) and unregister\(\) together: leaves class Stays\d/,
  );
  for (let i = 1; i <= stays; i++) delete serialization.SerializationMap.getMap().classNameMap[`Stays${i}`];
});

test('a shader that no call has reached', async () => {
  const kernel = wgslProduct();
  const op = squareOp({
    kernels: () => [
      { ...kernel, shaders: { ...kernel.shaders, spare: { code: '@compute @workgroup_size(1) fn main() { nonsense(); }' } } },
    ],
  }) as AnyOp;
  expect(await wrong(pluginOf({ ops: [op] }))).toMatch(/compile on webgpu.*unresolved call target 'nonsense'/);
});

test.each([
  [Forgetful, /layers, case 'TestForgetful \{"factor":3\}': getConfig\(\) leaves out factor/],
  [Deaf, /fromConfig\(getConfig\(\)\) changes factor from 3 to 1/],
  [Moody, /layers on wasm, case 'TestMoody .*predictions are others after saving and loading/],
  [Leaky, /predict leaves 1 tensors and 1 buffers of the backend behind/],
  [Boastful, /the output has shape \[3, 4\], computeOutputShape says \[, 99\]/],
  [Hoarder, /the model, when it is disposed, leaves 2 tensors and 2 buffers/],
])('a layer with a defect: %o', async (layer, message) => {
  const layers = { [layer.className]: [{ config: { factor: 3 }, inputShape: [4] }] };
  expect(await wrong(pluginOf({ layers: [layer] }), { layers })).toMatch(message);
});

test('layers need the library that runs them', async () => {
  const layers = { TestScale: [{ inputShape: [4] }] };
  const { failures } = await checkPlugin(pluginOf({ layers: [Scale] }), { ...quiet, cases: {}, layers });
  expect(failures[0]!.message).toBe('to call it, pass the module @tensorflow/tfjs-layers as tfjsLayers');
  expect(env().getBool('WEBGPU_CPU_FORWARD')).toBe(false);
});
