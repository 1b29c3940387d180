import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { doubling, exported, testPackage, type TestPackage } from '../test/package.ts';
import { buildKernels, compileKernel, KernelBuildError } from './index.ts';

let one: TestPackage;
beforeEach(() => (one = testPackage(doubling)));
afterEach(() => one.remove());

const build = () => buildKernels({ folder: one.folder });

/** Runs the module's `forward` over these numbers. */
function forward(binary: string, values: readonly number[]): number[] {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(binary, 'base64')), { env: { memory } });
  new Float32Array(memory.buffer, 0, values.length).set(values);
  (exports['forward'] as (x: number, y: number, count: number) => void)(0, 1024, values.length);
  return [...new Float32Array(memory.buffer, 1024, values.length)];
}

describe('buildKernels', () => {
  it('writes WASM that runs on a memory which is not its own, WGSL as it stands, and the version where it is asked for', async () => {
    const { written, current, removed } = await buildKernels({ folder: one.folder, version: 'src/version.ts' });
    expect({ written, current, removed }).toEqual({
      written: ['src/version.ts', 'src/deep/double.wgsl.ts', 'src/double.wasm.ts'],
      current: [],
      removed: [],
    });
    expect(forward(exported(one.read('src/double.wasm.ts')), [1, -2.5, 3, 4, 5])).toEqual([2, -5, 6, 8, 10]);
    expect(exported(one.read('src/deep/double.wgsl.ts'))).toBe(doubling['src/deep/double.wgsl']);
    expect(one.read('src/version.ts')).toContain("export const version = '1.2.3';");
  });

  it('compiles again what changed, or whose imports did, and nothing else', async () => {
    await build();
    expect((await build()).written).toEqual([]);
    one.write('src/_step.as.ts', 'export function step(x: f32): f32 {\n  return x * 3;\n}\n');
    expect((await build()).written).toEqual(['src/double.wasm.ts']);
    expect(forward(exported(one.read('src/double.wasm.ts')), [1, 2])).toEqual([3, 6]);
  });

  it('removes what was generated from a source that is gone, and only that', async () => {
    one.write('src/own.wasm.ts', "export default 'written by hand';\n");
    one.write('src/triple.wgsl', 'fn triple() {}\n');
    await build();
    one.write('src/double.as.ts', '// variants: relaxed\nexport function nothing(): void {}\n');
    expect((await build()).written).toEqual(['src/double.wasm.ts', 'src/double.relaxed.wasm.ts']);
    one.write('src/double.as.ts', 'export function nothing(): void {}\n');
    expect((await build()).removed).toEqual(['src/double.relaxed.wasm.ts']);
    expect(existsSync(join(one.folder, 'src/own.wasm.ts'))).toBe(true);
  });

  it('gives SIMD to all but those that want none, and relaxed SIMD to the variant alone', async () => {
    one.write('src/a.as.ts', 'export function a(x: usize): void {\n  v128.store(x, f32x4.splat(1));\n}\n');
    await build();
    one.write('src/a.as.ts', '// features: scalar\nexport function a(x: usize): void {\n  v128.store(x, f32x4.splat(1));\n}\n');
    await expect(build()).rejects.toThrow("Feature 'simd' is not enabled");
    const relaxed = '// variants: relaxed\nexport function a(): i32 {\n  return ASC_FEATURE_RELAXED_SIMD ? 1 : 0;\n}\n';
    one.write('src/a.as.ts', relaxed);
    await build();
    expect(one.read('src/a.wasm.ts')).not.toBe(one.read('src/a.relaxed.wasm.ts'));
  });

  it.each([
    ['does not compile', 'export function a(): void {\n  nowhere();\n}\n', "Cannot find name 'nowhere'"],
    [
      'brings a data segment',
      'export function a(i: i32): f32 {\n  return load<f32>(memory.data<f32>([1, 2, 3]) + i);\n}\n',
      'a data segment',
    ],
    ['runs code when it is instantiated', 'let a = memory.size();\nexport function b(): i32 {\n  return a++;\n}\n', 'a start function'],
    ['imports what is not there', "import { b } from './b.as';\nexport function a(): void {\n  b();\n}\n", 'it imports ./b.as'],
  ])('refuses a kernel that %s, and names the file', async (_, source, why) => {
    one.write('src/bad.as.ts', source);
    const error: unknown = await build().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KernelBuildError);
    expect((error as Error).message).toContain(why);
    expect((error as KernelBuildError).file).toBe(join(one.folder, 'src/bad.as.ts'));
    expect(existsSync(join(one.folder, 'src/bad.wasm.ts'))).toBe(false);
  });

  it('says what it expected where there is no source folder, and no version', async () => {
    await expect(buildKernels({ folder: one.folder, source: 'kernels' })).rejects.toThrow("source is 'kernels', expected a folder in");
    one.write('package.json', '{}');
    await expect(buildKernels({ folder: one.folder, version: 'src/version.ts' })).rejects.toThrow('version is undefined');
  });
});

it('compileKernel gives the bytes of one', async () => {
  const binary = await compileKernel(join(one.folder, 'src/double.as.ts'), []);
  expect(forward(Buffer.from(binary).toString('base64'), [7])).toEqual([14]);
});
