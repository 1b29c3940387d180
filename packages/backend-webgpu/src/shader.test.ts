import { expect, test } from 'vitest';
import { packUniforms, readShader } from './shader.ts';

const read = (code: string) => readShader('Op', 'main', code);

test('reads bindings, uniforms, entry points and overrides', () => {
  const text = read(`
    enable subgroups;
    // @group(0) @binding(9) var<storage> lineComment: array<f32>;
    /* outer /* @group(0) @binding(8) var<storage> inner: f32; */ @compute fn commented() {} */
    struct Params { rows : u32, scale: f32, // a trailing comma follows
      offset: i32, }
    @group(0) @binding(2) var<storage, read_write> y : array<vec4<f32>>;
    @binding( 0x ) fn f() {}
    @binding(1u) @group(0)
      var<storage> x: array<f32>;
    @group(0) @binding(3,) var < uniform > params: Params;
    var<workgroup> shared_sums: array<f32, 64>;
    override width: u32;
    @id(3) override height: u32 = 4;
    override scale = 2.0;
    @compute @workgroup_size(64, 1) fn first(@builtin(workgroup_id) w: vec3u) {}
    @workgroup_size(width) @compute
    fn second() {}
    fn helper() {}`);
  expect(text).toEqual({
    bindings: [
      { name: 'y', binding: 2, kind: 'read_write' },
      { name: 'x', binding: 1, kind: 'read' },
      { name: 'params', binding: 3, kind: 'uniform' },
    ],
    uniforms: [
      { name: 'rows', type: 'u32' },
      { name: 'scale', type: 'f32' },
      { name: 'offset', type: 'i32' },
    ],
    entryPoints: ['first', 'second'],
    required: ['width'],
  });
});

test('reads a shader without anything', () => {
  expect(read('// nothing')).toEqual({ bindings: [], uniforms: [], entryPoints: [], required: [] });
});

test.each([
  ['@group(0) var<storage> x: array<f32>;', 'variable x has no @binding with a number'],
  ['@group(0) @binding(slot) var<storage> x: array<f32>;', 'variable x has no @binding with a number'],
  ['@binding(0) var<storage> x: array<f32>;', 'variable x has group none, expected @group(0)'],
  ['@group(1) @binding(0) var<storage> x: array<f32>;', 'variable x has group 1, expected @group(0)'],
  [
    '@group(0) @binding(0) var<storage> x: array<f32>; @group(0) @binding(0) var<storage> y: array<f32>;',
    'variables x and y both have binding 0',
  ],
  ['@group(0) @binding(0) var<storage, write> x: array<f32>;', 'variable x is var<storage, write>'],
  ['@group(0) @binding(0) var<uniform> p: vec4f;', "the uniform's type is vec4f, expected a struct"],
  ['struct P { a: vec2f } @group(0) @binding(0) var<uniform> p: P;', "uniform field 'a: vec2f' of P is not a scalar"],
  [
    'struct P { a: f32 } @group(0) @binding(0) var<uniform> p: P; @group(0) @binding(1) var<uniform> q: P;',
    'has more than one uniform variable',
  ],
])('refuses %s', (code, message) => {
  expect(() => read(code)).toThrow(`Op: shader main: ${message}`);
});

test('packs uniforms by the struct, little-endian, to multiples of 16 bytes', () => {
  const fields = [
    { name: 'a', type: 'u32' },
    { name: 'b', type: 'f32' },
    { name: 'c', type: 'i32' },
    { name: 'd', type: 'u32' },
    { name: 'e', type: 'f32' },
  ] as const;
  const buffer = packUniforms('Op', 'main', fields, { e: 0.5, d: 4294967295, c: -2, b: 1.5, a: 7 });
  const view = new DataView(buffer);
  expect(buffer.byteLength).toBe(32);
  expect([view.getUint32(0, true), view.getFloat32(4, true), view.getInt32(8, true), view.getUint32(12, true)]).toEqual([
    7, 1.5, -2, 4294967295,
  ]);
  expect(view.getFloat32(16, true)).toBe(0.5);
  expect(packUniforms('Op', 'main', []).byteLength).toBe(16);
});

test('refuses uniforms too many and too few', () => {
  const fields = [{ name: 'rows', type: 'u32' }] as const;
  expect(() => packUniforms('Op', 'main', fields, { rows: 1, width: 2 })).toThrow('Op: shader main has no uniform width; expected rows');
  expect(() => packUniforms('Op', 'main', fields)).toThrow('Op: the plan gives no value for uniform rows of shader main; expected rows');
  expect(() => packUniforms('Op', 'main', [], { rows: 1 })).toThrow('Op: shader main has no uniform rows; expected none');
});
