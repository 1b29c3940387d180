import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '@evenkeel/core';
import type { Frame, Standin } from '../kernels/frame.ts';
import { ACTIVATIONS, matMulModule, strides } from '../kernels/mat-mul/gemm.ts';
import { batchMatMul, fusedMatMul, productsOf, type Products } from '../kernels/mat-mul/mat-mul.ts';
import { ROOM } from './control.ts';
import type { Job, Pool } from './pool.ts';

/** Functions that the workers run, by their places in a job. */
export const FUNCTIONS = ['gemmPacked', 'gemm'] as const;

/** Multiply-adds, counted as two, below which waking a worker costs more than it brings. */
const LARGE = 3e7;

/** Chunks a thread: a worker that gets no core leaves the others little to wait for. */
const CHUNKS_PER_THREAD = 4;

/** Arguments of `gemmPacked` and `gemm`, and the position of the last, which is scratch. */
const PACKED_ARGUMENTS = 12;
const ARGUMENTS = 14;

const isLarge = ({ m, n, k, atA }: Products): boolean => 2 * m * n * k * atA.length >= LARGE;

/** One product, its rows in chunks, B packed once before. */
function byRows(products: Products, frame: Frame, pool: Pool, [a, b, c, bias]: readonly [number, number, number, number]): Job {
  const { m, n, k, activation, alpha } = products;
  const { aRow, aColumn, bRow, bColumn } = strides(products);
  const { packAll, scratchFloats } = frame.functions<'packAll' | 'scratchFloats'>(matMulModule);
  const packed = frame.scratch(Math.ceil(n / 16) * 16 * k * 4);
  packAll(b, bRow, bColumn, n, k, packed);
  // Whole tiles of two rows.
  const rows = 2 * Math.ceil(m / (2 * CHUNKS_PER_THREAD * pool.threads));
  const bytes = 4 * scratchFloats(rows, n, k, aColumn);
  const scratch = frame.scratch(bytes * pool.threads);
  const calls: number[][] = [];
  for (let row = 0; row < m; row += rows) {
    const count = Math.min(rows, m - row);
    calls.push([a + row * aRow, aRow, aColumn, packed, c + row * n * 4, count, n, k, bias, activation, alpha, scratch]);
  }
  return { module: 0, function: 0, calls, scratch: { positions: [PACKED_ARGUMENTS - 1], bytes } };
}

/** Many products, each a chunk. */
function byProduct(products: Products, frame: Frame, pool: Pool, [a, b, c, bias]: readonly [number, number, number, number]): Job {
  const { m, n, k, activation, alpha, atA, atB, atC } = products;
  const { aRow, aColumn, bRow, bColumn } = strides(products);
  const bytes = 4 * frame.functions<'scratchFloats'>(matMulModule).scratchFloats(m, n, k, aColumn);
  const scratch = frame.scratch(bytes * pool.threads);
  const calls = atA.map((at, i) => [
    a + at,
    aRow,
    aColumn,
    b + atB[i]!,
    bRow,
    bColumn,
    c + atC[i]!,
    m,
    n,
    k,
    bias,
    activation,
    alpha,
    scratch,
  ]);
  return { module: 0, function: 1, calls, scratch: { positions: [ARGUMENTS - 1], bytes } };
}

/** Large products on a pool's threads. The results are those of one thread, bit for bit: each row is computed alike. */
export function threadedProducts(poolOf: (frame: Frame) => Pool): readonly Standin[] {
  const run =
    (name: string) =>
    (inputs: Record<string, TensorInfo>, attrs: NamedAttrMap, frame: Frame): TensorInfo => {
      const products = productsOf(inputs, attrs);
      const y = frame.output(products.shape);
      const pool = poolOf(frame);
      const addresses = [inputs['a'], inputs['b'], y, inputs['bias']].map((each) => frame.address(each)) as [
        number,
        number,
        number,
        number,
      ];
      pool.run(name, (products.atA.length === 1 ? byRows : byProduct)(products, frame, pool, addresses));
      return y;
    };
  return [batchMatMul, fusedMatMul].map(({ name, serves }) => ({
    name,
    serves: (inputs, attrs, heap) => {
      if (!serves!(inputs, attrs, heap)) return false;
      // Other activations are kernels of their own, run afterwards.
      if (!(String(attrs['activation'] ?? 'linear') in ACTIVATIONS)) return false;
      const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
      // Wrong shapes are for the kernel beneath to say.
      const inner = [
        a.shape.at((attrs as { transposeA?: boolean }).transposeA ? -2 : -1),
        b.shape.at((attrs as { transposeB?: boolean }).transposeB ? -1 : -2),
      ];
      if (inner[0] !== inner[1] || sizeOf(a.shape) === 0 || sizeOf(b.shape) === 0) return false;
      const products = productsOf(inputs, attrs);
      return isLarge(products) && products.m >= 8 && products.atA.length * ARGUMENTS <= ROOM;
    },
    run: run(name),
  }));
}
