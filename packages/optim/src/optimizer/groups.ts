import { EvenkeelError, expect } from '@evenkeel/core';

/** Which variables: their names, as model.weights has them, or a test of the name. */
export type VariableFilter = readonly string[] | ((name: string) => boolean);

/** Options for some of the variables, in place of the optimizer's. */
export interface VariableGroup {
  readonly variables: VariableFilter;
  readonly weightDecay?: number | undefined;
  /** A factor of the learning rate. */
  readonly learningRateScale?: number | undefined;
  /** Whether the step may lose its part along the weight (AdamP, SGDP). */
  readonly project?: boolean | undefined;
  /** Where the output channels lie (AdamP, SGDP), such as [-1]; see {@link channelAxesOf} for the default. */
  readonly channelAxes?: readonly number[] | undefined;
}

/** What a variable is trained with. */
export interface VariableSettings {
  readonly weightDecay: number;
  readonly learningRateScale: number;
  readonly project: boolean;
  readonly channelAxes: readonly number[] | undefined;
}

/**
 * Where the output channels of a layer's weight lie, by its name: [0] of embeddings, whose rows are tokens; both last axes of depthwise
 * kernels; the last but one of transposed convolutions; else the last.
 *
 * @example
 * channelAxesOf('embedding_Embedding1/embeddings'); // [0]
 */
export function channelAxesOf(name: string): readonly number[] {
  if (/(^|\/)embeddings(_\d+)?$/.test(name)) return [0];
  if (/(^|\/)depthwise_kernel(_\d+)?$/.test(name)) return [-2, -1];
  if (/conv\d?d_?transpose/i.test(name)) return [-2];
  return [-1];
}

const matches = (filter: VariableFilter, name: string): boolean => (typeof filter === 'function' ? filter(name) : filter.includes(name));

export function settingsOf(name: string, groups: readonly VariableGroup[], weightDecay: number): VariableSettings {
  const group = groups.find(({ variables }) => matches(variables, name));
  return {
    weightDecay: group?.weightDecay ?? weightDecay,
    learningRateScale: group?.learningRateScale ?? 1,
    project: group?.project ?? true,
    channelAxes: group?.channelAxes,
  };
}

export function checkGroups(op: string, groups: readonly VariableGroup[]): void {
  groups.forEach(({ variables, weightDecay = 0, learningRateScale = 1 }, i) => {
    const isFilter = typeof variables === 'function' || (Array.isArray(variables) && variables.every((name) => typeof name === 'string'));
    expect(isFilter, op, `groups[${i}].variables`, 'names of variables, or a function of the name', variables);
    expect(weightDecay >= 0 && weightDecay < Infinity, op, `groups[${i}].weightDecay`, 'a number >= 0', weightDecay);
    const fits = learningRateScale >= 0 && learningRateScale < Infinity;
    expect(fits, op, `groups[${i}].learningRateScale`, 'a number >= 0', learningRateScale);
  });
}

/** Groups for a config: text in hexadecimal, since tfjs-layers changes capitals and underscores in the strings of a config. */
export function groupsToConfig(op: string, groups: readonly VariableGroup[]): string {
  if (groups.some(({ variables }) => typeof variables === 'function')) {
    const message = 'a group tells its variables by a function, which cannot be saved: list their names';
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'groups' });
  }
  return Array.from(new TextEncoder().encode(JSON.stringify(groups)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The inverse, for what was saved; groups as they are pass. */
export function groupsFromConfig(op: string, saved: string | readonly VariableGroup[]): readonly VariableGroup[] {
  if (typeof saved !== 'string') return saved;
  try {
    const bytes = Uint8Array.from(saved.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const groups = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    if (Array.isArray(groups)) return groups as readonly VariableGroup[];
  } catch {
    // Said below.
  }
  throw new EvenkeelError('INVALID_ARGUMENT', 'the saved groups cannot be read', { op, argument: 'groups' });
}
