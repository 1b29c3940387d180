import '../../../../tools/test-backends.ts';
import { complex, memory, scalar, tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { backends } from '../../../../tools/test-backends.ts';
import { backend } from '../backend.ts';
import { isEvenkeelError, type ErrorCode, type EvenkeelError } from '../errors.ts';
import { fromTensors, readSafetensors, toTensors, writeSafetensors, type SafetensorsTensor } from './index.ts';

async function failure(run: () => unknown, code: ErrorCode): Promise<EvenkeelError> {
  try {
    await run();
  } catch (error) {
    if (isEvenkeelError(error, code)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** dtype, shape and values. */
const seen = async (found: Tensor): Promise<unknown[]> => [found.dtype, found.shape, Array.from(await found.data())];

const stored: Record<string, SafetensorsTensor> = {
  f32: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -2.5, Infinity, 1e-40) },
  f16: { dtype: 'F16', shape: [3], data: Uint16Array.of(0x3c00, 0xc100, 0x7bff) },
  bf16: { dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0xc020) },
  i64: { dtype: 'I64', shape: [2], data: BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n) },
  i32: { dtype: 'I32', shape: [], data: Int32Array.of(-7) },
  i8: { dtype: 'I8', shape: [1, 2], data: Int8Array.of(-128, 127) },
  u8: { dtype: 'U8', shape: [2], data: Uint8Array.of(0, 255) },
  bool: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
  empty: { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) },
};

describe.each(backends)('on %s', (name) => {
  test('tensors of every dtype come out of a file, and go back in', async () => {
    await backend(name);
    const before = memory().numTensors;
    const tensors = toTensors(readSafetensors(writeSafetensors(stored)).tensors);
    expect(Object.getPrototypeOf(tensors)).toBe(null);
    expect(await seen(tensors['f32']!)).toEqual(['float32', [2, 2], [1, -2.5, Infinity, Math.fround(1e-40)]]);
    expect(await seen(tensors['f16']!)).toEqual(['float32', [3], [1, -2.5, 65504]]);
    expect(await seen(tensors['bf16']!)).toEqual(['float32', [2], [1, -2.5]]);
    expect(await seen(tensors['i64']!)).toEqual(['int32', [2], [-(2 ** 31), 2 ** 31 - 1]]);
    expect(await seen(tensors['i32']!)).toEqual(['int32', [], [-7]]);
    expect(await seen(tensors['i8']!)).toEqual(['int32', [1, 2], [-128, 127]]);
    expect(await seen(tensors['u8']!)).toEqual(['int32', [2], [0, 255]]);
    expect(await seen(tensors['bool']!)).toEqual(['bool', [2], [1, 0]]);
    expect(await seen(tensors['empty']!)).toEqual(['float32', [0, 3], []]);

    const again = await fromTensors(tensors);
    expect(again['f32']).toEqual(stored['f32']);
    expect(again['bool']).toEqual(stored['bool']);
    expect(again['i8']).toEqual({ dtype: 'I32', shape: [1, 2], data: Int32Array.of(-128, 127) });
    const narrow = await fromTensors({ x: tensors['f16']! }, { float: 'F16' });
    expect(narrow['x']).toEqual(stored['f16']);
    const wide = await fromTensors({ x: tensors['bf16']!, i: tensors['i32']! }, { float: 'BF16' });
    expect(wide['x']).toEqual(stored['bf16']);
    expect(wide['i']!.dtype).toBe('I32');

    for (const each of Object.values(tensors)) each.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('a tensor and the file share no memory', async () => {
    await backend(name);
    const file = writeSafetensors({ x: { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } });
    const { x } = toTensors(readSafetensors(file).tensors);
    file.fill(0);
    expect(Array.from(await x!.data())).toEqual([1, 2]);
    const { y } = await fromTensors({ y: x! });
    (y!.data as Float32Array).fill(0);
    expect(Array.from(await x!.data())).toEqual([1, 2]);
    x!.dispose();
  });
});

test('integers beyond int32, and booleans beyond 1, are refused before a tensor is made', async () => {
  await backend('cpu');
  const before = memory().numTensors;
  const fine: SafetensorsTensor = { dtype: 'F32', shape: [1], data: Float32Array.of(1) };
  for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 63n - 1n]) {
    const error = await failure(
      () => toTensors({ fine, id: { dtype: 'I64', shape: [2], data: BigInt64Array.of(0n, value) } }),
      'SAFETENSORS',
    );
    expect(error.message).toBe(`toTensors: tensor "id" has ${value} at 1, which int32 cannot hold`);
  }
  const error = await failure(() => toTensors({ fine, mask: { dtype: 'BOOL', shape: [1], data: Uint8Array.of(2) } }), 'SAFETENSORS');
  expect(error.message).toBe('toTensors: tensor "mask" has 2 at 0, expected 0 or 1 for BOOL');
  expect(memory().numTensors).toBe(before);
});

test('what cannot be stored is refused', async () => {
  await backend('cpu');
  const large = tensor1d([1, 70000]);
  expect((await failure(() => fromTensors({ w: large }, { float: 'F16' }), 'SAFETENSORS')).message).toBe(
    'fromTensors: tensor "w" has 70000 at 1, which F16 cannot hold',
  );
  expect((await fromTensors({ w: tensor1d([Infinity]) }, { float: 'F16' }))['w']!.data[0]).toBe(0x7c00);
  expect((await failure(() => fromTensors({ w: tensor1d([3.4e38]) }, { float: 'BF16' }), 'SAFETENSORS')).message).toContain(
    'BF16 cannot hold',
  );
  expect((await failure(() => fromTensors({ w: tensor(['a']) }), 'DTYPE')).message).toContain('tensor "w" has dtype string');
  expect((await failure(() => fromTensors({ w: complex(1, 2) }), 'DTYPE')).message).toContain('tensor "w" has dtype complex64');
  await failure(() => fromTensors({ w: scalar(1) }, { float: 'F64' as 'F32' }), 'INVALID_ARGUMENT');
});
