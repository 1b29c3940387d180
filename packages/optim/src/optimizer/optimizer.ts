// What all optimizers of this package share: which variables take part, their state, clipping, and gradients that are not finite.
import {
  add,
  cast,
  concat,
  engine,
  isFinite,
  keep,
  logicalNot,
  maximum,
  mul,
  Optimizer,
  reshape,
  sqrt,
  sum,
  tidy,
  zerosLike,
  div,
  type NamedTensorMap,
  type serialization,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { EvenkeelError, expect, raiseIf, show } from '@evenkeel/core';
import { clipAdaptively } from '../clipping/adaptive.ts';
import { SumOfSquares } from '../sum-of-squares/op.ts';
import {
  channelAxesOf,
  checkGroups,
  groupsFromConfig,
  groupsToConfig,
  settingsOf,
  type VariableGroup,
  type VariableSettings,
} from './groups.ts';
import { matchState, type SavedState } from './restore.ts';

/** A learning rate for each step, counted from 0. */
export type Schedule = (step: number) => number;

/** As tfjs has it, which does not export it. */
type NamedTensor = Awaited<ReturnType<Optimizer['getWeights']>>[number];

/** Options that all optimizers of this package have. */
export interface OptimizerOptions {
  readonly learningRate?: number | undefined;
  /** Decoupled from the gradient. Default 0. */
  readonly weightDecay?: number | undefined;
  /** Gradients are scaled down so that the norm of all of them together is at most this. */
  readonly clipNorm?: number | undefined;
  /** Adaptive clipping: the gradient of a unit has at most this share of the norm of its weights (Brock et al. 2021). */
  readonly clipAdaptive?: number | undefined;
  /**
   * What happens to a step in which a gradient is NaN or infinite, or the sum of its squares is: nothing is changed, and 'throw' (default) raises
   * NON_FINITE with the variable's name (on webgpu at the next `await data()`), 'skip' counts it. A skipped step counts as one of `iterations`.
   */
  readonly nonFinite?: 'throw' | 'skip' | undefined;
  /** Options of some variables; the first group that names a variable holds. */
  readonly groups?: readonly VariableGroup[] | string | undefined;
}

/** One variable in one step. */
export interface Update {
  readonly name: string;
  readonly value: Variable;
  readonly gradient: Tensor;
  /** The state's tensors, by the names of its slots. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** See the ops: multiplies the gradient; where it is not finite nothing changes. */
  readonly scale: Tensor;
  readonly learningRate: number;
  /** How many steps there have been, this one included. */
  readonly step: number;
  readonly settings: VariableSettings;
}

/** The new value, and the new state by the names of its slots. */
export interface Updated {
  readonly value: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
}

/** Values of their own: who gave the tensors may dispose of them. */
const copy = (tensors: Record<string, Tensor>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([slot, tensor]) => [slot, keep(tidy(() => add(tensor, 0)))]));

interface Entry {
  readonly name: string;
  readonly value: Variable;
  readonly gradient: Tensor;
}

/** Optimizers whose update of a variable is one op of this package. */
export abstract class FusedOptimizer extends Optimizer {
  /** May be changed between steps. */
  learningRate: number;
  readonly #options: OptimizerOptions;
  readonly #groups: readonly VariableGroup[];
  readonly #state = new Map<string, Record<string, Tensor>>();
  #saved: SavedState | undefined;
  #skipped: Tensor | undefined;

  /** The slots of the state, in the order in which they are saved. */
  protected abstract readonly slots: readonly string[];
  protected readonly weightDecay: number;

  protected constructor(op: string, options: OptimizerOptions, defaultRate: number) {
    super();
    const { learningRate = defaultRate, weightDecay = 0, clipNorm, clipAdaptive, nonFinite = 'throw', groups = [] } = options;
    expect(learningRate >= 0 && learningRate < Infinity, op, 'learningRate', 'a number >= 0', learningRate);
    expect(weightDecay >= 0 && weightDecay < Infinity, op, 'weightDecay', 'a number >= 0', weightDecay);
    expect(clipNorm === undefined || (clipNorm > 0 && clipNorm < Infinity), op, 'clipNorm', 'a number > 0', clipNorm);
    expect(clipAdaptive === undefined || (clipAdaptive > 0 && clipAdaptive < Infinity), op, 'clipAdaptive', 'a number > 0', clipAdaptive);
    expect(nonFinite === 'throw' || nonFinite === 'skip', op, 'nonFinite', "'throw' or 'skip'", nonFinite);
    this.#groups = groupsFromConfig(op, groups);
    checkGroups(op, this.#groups);
    this.learningRate = learningRate;
    this.weightDecay = weightDecay;
    this.#options = options;
  }

  /** Computes the update of one variable, within a tidy. */
  protected abstract update(update: Update): Updated;

  applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
    const entries = this.#entriesOf(variableGradients);
    if (entries.length === 0) return;
    const op = this.getClassName();
    const rate = this.learningRate;
    expect(rate >= 0 && rate < Infinity, op, 'learningRate', 'a number >= 0', rate);
    this.#restore(entries);
    tidy(() => {
      const clipped = entries.map((entry) => ({ ...entry, gradient: this.#clip(entry) }));
      const squares = concat(clipped.map(({ gradient }) => reshape(SumOfSquares({ x: gradient }), [1])));
      const scale = this.#scaleOf(squares);
      this.#report(squares, entries);
      // All are computed before one is written, so that what throws leaves all as it was.
      const updates = clipped.map((entry) => this.#compute(entry, scale, rate));
      updates.forEach(({ value, state }, i) => this.#write(entries[i]!, value, state));
    });
    this.incrementIterations();
  }

  /** How many steps were skipped for a gradient that was not finite, with `nonFinite: 'skip'`. */
  async skippedSteps(): Promise<number> {
    return this.#skipped === undefined ? 0 : (await this.#skipped.data())[0]!;
  }

  /** The steps so far, and the state of each variable, slot by slot. The tensors remain the optimizer's own. */
  override async getWeights(): Promise<NamedTensor[]> {
    const state = [...this.#state];
    const tensors = this.slots.flatMap((slot) => state.map(([name, slots]) => ({ name: `${name}/${slot}`, tensor: slots[slot]! })));
    return [await this.saveIterations(), ...tensors];
  }

  /** Takes over what `getWeights` gave, here or in another process. Variables are told at the next step: by name, or in order. */
  override async setWeights(weightValues: NamedTensor[]): Promise<void> {
    const op = this.getClassName();
    const perSlot = (weightValues.length - 1) / this.slots.length;
    expect(Number.isInteger(perSlot), op, 'weightValues', `1 + ${this.slots.length} tensors a variable`, weightValues.length);
    const rest = await this.extractIterations(weightValues);
    const saved: SavedState = Array.from({ length: perSlot }, (_, i) => {
      const state = Object.fromEntries(this.slots.map((slot, k) => [slot, rest[k * perSlot + i]!.tensor]));
      return { name: rest[i]!.name.slice(0, -1 - this.slots[0]!.length), state };
    });
    this.#disposeState();
    this.#saved = saved.map(({ name, state }) => ({ name, state: copy(state) }));
  }

  override dispose(): void {
    this.#disposeState();
    this.#skipped?.dispose();
    this.#skipped = undefined;
  }

  getConfig(): serialization.ConfigDict {
    return {
      learningRate: this.learningRate,
      weightDecay: this.weightDecay,
      nonFinite: this.#options.nonFinite ?? 'throw',
      ...(this.#options.clipNorm !== undefined && { clipNorm: this.#options.clipNorm }),
      ...(this.#options.clipAdaptive !== undefined && { clipAdaptive: this.#options.clipAdaptive }),
      ...(this.#groups.length > 0 && { groups: groupsToConfig(this.getClassName(), this.#groups) }),
    };
  }

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    return new cls(config);
  }

  #entriesOf(variableGradients: NamedTensorMap | NamedTensor[]): Entry[] {
    const op = this.getClassName();
    const named = Array.isArray(variableGradients)
      ? variableGradients.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(variableGradients);
    const entries: Entry[] = [];
    for (const [name, gradient] of named as readonly (readonly [string, Tensor | null | undefined])[]) {
      // A variable without a gradient is passed over.
      if (gradient === null || gradient === undefined) continue;
      const value = engine().registeredVariables[name];
      if (value === undefined)
        throw new EvenkeelError('NOT_FOUND', `there is no variable ${show(name)}`, { op, argument: 'variableGradients' });
      if (value.dtype !== 'float32' || gradient.dtype !== 'float32' || value.shape.join() !== gradient.shape.join()) {
        const message = `the gradient of ${show(name)} is ${show(gradient)}, expected float32 of the variable's shape; it is ${show(value)}`;
        throw new EvenkeelError('SHAPE', message, { op, argument: 'variableGradients' });
      }
      entries.push({ name, value, gradient });
    }
    return entries;
  }

  #clip({ name, value, gradient }: Entry): Tensor {
    const { clipAdaptive } = this.#options;
    return clipAdaptive === undefined ? gradient : clipAdaptively(gradient, value, clipAdaptive, channelAxesOf(name));
  }

  /** What all gradients are multiplied by: NaN if one of them is not finite. */
  #scaleOf(squares: Tensor): Tensor {
    const total = sum(squares);
    const { clipNorm } = this.#options;
    // 0 times what is not finite is NaN.
    const gate = mul(total, 0);
    return clipNorm === undefined ? add(gate, 1) : add(div(clipNorm, maximum(sqrt(total), clipNorm)), gate);
  }

  #report(squares: Tensor, entries: readonly Entry[]): void {
    const op = this.getClassName();
    const flags = logicalNot(isFinite(squares));
    // On webgpu the error is made when the step is long over.
    const step = this.iterations;
    if ((this.#options.nonFinite ?? 'throw') === 'throw') {
      const message = (index: number): string =>
        `the gradient of ${show(entries[index]!.name)} is not finite at step ${step}: nothing was changed`;
      raiseIf(flags, (index) => new EvenkeelError('NON_FINITE', message(index), { op, argument: 'variableGradients' }));
      return;
    }
    const skipped = cast(logicalNot(isFinite(sum(squares))), 'float32');
    const before = this.#skipped;
    this.#skipped = keep(before === undefined ? skipped : add(before, skipped));
    before?.dispose();
  }

  #compute({ name, value, gradient }: Entry, scale: Tensor, rate: number): Updated {
    const settings = settingsOf(name, this.#groups, this.weightDecay);
    const state = this.#state.get(name) ?? Object.fromEntries(this.slots.map((slot) => [slot, zerosLike(value)]));
    const learningRate = rate * settings.learningRateScale;
    return this.update({ name, value, gradient, state, scale, learningRate, step: this.iterations + 1, settings });
  }

  #write({ name, value }: Entry, next: Tensor, state: Readonly<Record<string, Tensor>>): void {
    value.assign(next);
    const before = this.#state.get(name);
    this.#state.set(name, Object.fromEntries(Object.entries(state).map(([slot, tensor]) => [slot, keep(tensor)])));
    for (const tensor of Object.values(before ?? {})) tensor.dispose();
  }

  #restore(entries: readonly Entry[]): void {
    if (this.#saved === undefined) return;
    const matched = matchState(this.getClassName(), this.#saved, entries);
    for (const [name, state] of matched) this.#state.set(name, state);
    this.#saved = undefined;
  }

  #disposeState(): void {
    const saved = this.#saved?.map(({ state }) => state) ?? [];
    for (const state of [...this.#state.values(), ...saved]) for (const tensor of Object.values(state)) tensor.dispose();
    this.#state.clear();
    this.#saved = undefined;
  }
}
