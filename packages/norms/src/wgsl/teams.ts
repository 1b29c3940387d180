// Sums over rows are worked on by teams: a subgroup each, or a workgroup each. A kernel's text says what a team does, `fn work(team, lane,
// lanes)`, in terms of Item, a float or four, and of total(), the sum over a team's lanes; the rest is put after it here, so that the
// lines in error messages are those of the kernel's file.
import type { DeviceInfo, WgslShader } from '@evenkeel/core';
import bySubgroup from './by-subgroup.wgsl.ts';
import byWorkgroup from './by-workgroup.wgsl.ts';

const ONE = `
alias Item = f32;
fn across(item: Item) -> f32 { return item; }
`;

const FOUR = `
alias Item = vec4f;
fn across(item: Item) -> f32 { return (item.x + item.y) + (item.z + item.w); }
`;

/** The variants of a kernel: by subgroup or workgroup, with four floats an item or one. */
export function teamShaders(code: string): Record<string, WgslShader> {
  const subgroup = (items: string): WgslShader => ({ code: `enable subgroups; ${code}${items}${bySubgroup}`, requires: ['subgroups'] });
  const workgroup = (items: string): WgslShader => ({ code: `${code}${items}${byWorkgroup}` });
  return { subgroup: subgroup(ONE), subgroup4: subgroup(FOUR), workgroup: workgroup(ONE), workgroup4: workgroup(FOUR) };
}

/** Floats in an item: four where rows of `width` floats consist of whole fours. */
export function itemSize(width: number): 1 | 4 {
  return width % 4 === 0 ? 4 : 1;
}

export interface TeamDispatch {
  readonly shader: string;
  readonly constants: { readonly threads: number };
  readonly workgroups: number;
}

/** How `teams` sums over `width` floats each are started. */
export function teamDispatch(teams: number, width: number, { features, subgroupMaxSize }: DeviceInfo): TeamDispatch {
  const four = itemSize(width) === 4 ? '4' : '';
  // A subgroup alone would be long at work on a long sum; where there are many of them that does not matter.
  if (features.has('subgroups') && (width <= 8192 || teams >= 1024)) {
    const threads = Math.max(64, subgroupMaxSize);
    return { shader: `subgroup${four}`, constants: { threads }, workgroups: Math.ceil((teams * subgroupMaxSize) / threads) };
  }
  return { shader: `workgroup${four}`, constants: { threads: width <= 2048 ? 64 : 256 }, workgroups: teams };
}
