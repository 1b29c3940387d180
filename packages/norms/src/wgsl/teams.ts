// Sums over rows are worked on by teams: a subgroup each, or a workgroup each. A kernel's text says what a team does, `fn work(team, lane,
// lanes)`, in terms of items and of total(), the sum over a team's lanes; the rest is put behind it here, so that the lines in error
// messages are those of the kernel's file.
import type { DeviceInfo, WgslShader } from '@evenkeel/core';
import activation from './activation.wgsl.ts';
import bySubgroup from './by-subgroup.wgsl.ts';
import byWorkgroup from './by-workgroup.wgsl.ts';
import { FOUR, ONE, overrides, variant } from './items.ts';
import sigmoid from './sigmoid.wgsl.ts';

/** The variants of a kernel: by subgroup or workgroup, with one float an item or four. */
export function teamShaders(code: string): Record<string, WgslShader> {
  const subgroup = (items: string): WgslShader => ({ code: `enable subgroups; ${code}${items}${bySubgroup}`, requires: ['subgroups'] });
  const workgroup = (items: string): WgslShader => ({ code: `${code}${items}${byWorkgroup}` });
  return { subgroup: subgroup(ONE), subgroup4: subgroup(FOUR), workgroup: workgroup(ONE), workgroup4: workgroup(FOUR) };
}

/** The same of a kernel's text that calls `activate` or `deactivate`. */
export function activatedTeamShaders(code: string): Record<string, WgslShader> {
  return teamShaders(`${code}${sigmoid}${activation}`);
}

/** As the texts have it. */
const DEFAULTS = { threads: 64 };

export interface TeamDispatch {
  readonly shader: string;
  readonly constants?: Readonly<Record<string, number>>;
  readonly workgroups: number;
}

/** How `teams` sums over `count` floats each are started. */
export function teamDispatch(teams: number, count: number, size: 1 | 4, { features, subgroupMaxSize }: DeviceInfo): TeamDispatch {
  // A subgroup alone would be long at work on a long sum; where there are many of them that does not matter.
  if (features.has('subgroups') && (count <= 8192 || teams >= 1024)) {
    const threads = Math.max(64, subgroupMaxSize);
    const workgroups = Math.ceil((teams * subgroupMaxSize) / threads);
    return { shader: variant('subgroup', size), ...overrides({ threads }, DEFAULTS), workgroups };
  }
  const threads = count <= 128 ? 32 : count <= 2048 ? 64 : 256;
  return { shader: variant('workgroup', size), ...overrides({ threads }, DEFAULTS), workgroups: teams };
}
