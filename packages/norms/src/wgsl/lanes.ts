// Sums over the rows of a block, for every column, by teams that share some columns: several threads, the lanes, add up each.
// A kernel's text says `fn work(block, column, lane, lanes)`, in terms of items and of total(), the sum over a column's lanes.
import type { DeviceInfo, WgslDispatch, WgslShader } from '@evenkeel/core';
import { FOUR, ONE, overrides, variant } from './items.ts';
import bySubgroup from './lanes-by-subgroup.wgsl.ts';
import byWorkgroup from './lanes-by-workgroup.wgsl.ts';

/** The variants of a kernel: by subgroup or workgroup, with one float an item or four. */
export function laneShaders(name: string, code: string): Record<string, WgslShader> {
  const subgroup = (items: string): WgslShader => ({ code: `enable subgroups; ${code}${items}${bySubgroup}`, requires: ['subgroups'] });
  const workgroup = (items: string): WgslShader => ({ code: `${code}${items}${byWorkgroup}` });
  return {
    [`${name}-subgroup`]: subgroup(ONE),
    [`${name}-subgroup4`]: subgroup(FOUR),
    [`${name}-workgroup`]: workgroup(ONE),
    [`${name}-workgroup4`]: workgroup(FOUR),
  };
}

/** Starts a team for each block and each few of `width` columns. */
export function laneDispatch(
  name: string,
  size: 1 | 4,
  blocks: number,
  width: number,
  { features, subgroupMinSize, subgroupMaxSize }: DeviceInfo,
): Pick<WgslDispatch, 'shader' | 'constants' | 'workgroups'> {
  const needed = 2 ** Math.ceil(Math.log2(width));
  if (features.has('subgroups')) {
    const columns = Math.min(8, subgroupMinSize, needed);
    const threads = Math.max(64, subgroupMaxSize);
    const teams = blocks * Math.ceil(width / columns);
    return {
      shader: variant(`${name}-subgroup`, size),
      ...overrides({ threads, columns }, { threads: 64, columns: 8 }),
      workgroups: Math.ceil((teams * subgroupMaxSize) / threads),
    };
  }
  const columns = Math.min(16, needed);
  return {
    shader: variant(`${name}-workgroup`, size),
    ...overrides({ columns }, { columns: 16 }),
    workgroups: blocks * Math.ceil(width / columns),
  };
}
