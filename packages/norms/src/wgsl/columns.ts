// Sums over very many rows, in two steps: a part for each block of rows, then the sum of the parts.
import type { WgslDispatch, WgslShader } from '@evenkeel/core';
import gammaBetaText from './gamma-beta-sums.wgsl.ts';
import gammaText from './gamma-sums.wgsl.ts';

/** How rows are divided: enough blocks to keep a GPU busy, few enough that summing their parts costs little. */
export function blocksOf(rows: number): { blocks: number; rowsPerBlock: number } {
  const rowsPerBlock = Math.max(4, Math.ceil(rows / 512));
  return { blocks: Math.ceil(rows / rowsPerBlock), rowsPerBlock };
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
