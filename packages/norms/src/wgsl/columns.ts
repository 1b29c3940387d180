// Sums over very many rows, in two steps: a part for each block of rows, then the sum of the parts.
import type { WgslDispatch, WgslShader } from '@evenkeel/core';
import activation from './activation.wgsl.ts';
import byColumn from './by-column.wgsl.ts';
import gammaBetaText from './gamma-beta-sums.wgsl.ts';
import gammaText from './gamma-sums.wgsl.ts';
import { FOUR, ONE, variant } from './items.ts';
import sigmoid from './sigmoid.wgsl.ts';

/** How rows are divided where each block leaves a part: enough blocks to keep a GPU busy, few enough that summing the parts costs little. */
export function blocksOf(rows: number): { blocks: number; rowsPerBlock: number } {
  const rowsPerBlock = Math.max(4, Math.ceil(rows / 512));
  return { blocks: Math.ceil(rows / rowsPerBlock), rowsPerBlock };
}

/** The variants of a kernel whose text says `fn work(block, column, first, end)`: what a thread does with a column's rows from first to end. */
export function columnShaders(name: string, code: string): Record<string, WgslShader> {
  return { [name]: { code: `${code}${ONE}${byColumn}` }, [variant(name, 4)]: { code: `${code}${FOUR}${byColumn}` } };
}

/** The same of a kernel's text that calls `activate` or `deactivate`. */
export function activatedColumnShaders(name: string, code: string): Record<string, WgslShader> {
  return columnShaders(name, `${code}${sigmoid}${activation}`);
}

/** Starts a thread for each column of items and each block of rows. */
export function columnDispatch(
  name: string,
  size: 1 | 4,
  { rows, columns, rowsPerBlock }: { rows: number; columns: number; rowsPerBlock: number },
  uniforms: Readonly<Record<string, number>> = {},
): WgslDispatch {
  const blocks = Math.ceil(rows / rowsPerBlock);
  const width = columns / size;
  return {
    shader: variant(name, size),
    uniforms: { rows, width, rows_per_block: rowsPerBlock, blocks, ...uniforms },
    workgroups: Math.ceil((blocks * width) / 64),
  };
}

export const gammaBetaSumsShader = (): Record<string, WgslShader> => ({ gammaBetaSums: { code: gammaBetaText } });
export const gammaSumsShader = (): Record<string, WgslShader> => ({ gammaSums: { code: gammaText } });

function sums(shader: string, blocks: number, width: number): WgslDispatch {
  return { shader, uniforms: { blocks, width }, workgroups: Math.ceil(width / 64) };
}

/** dgamma and dbeta [width] of scratch `partials` [blocks, 2, width]. */
export function gammaBetaSums(blocks: number, width: number): WgslDispatch {
  return sums('gammaBetaSums', blocks, width);
}

/** dgamma [width] of scratch `partials` [blocks, width]. */
export function gammaSums(blocks: number, width: number): WgslDispatch {
  return sums('gammaSums', blocks, width);
}
