import type { serialization } from '@tensorflow/tfjs-core';
import { channelAxesOf } from '../optimizer/groups.ts';
import type { Update, Updated } from '../optimizer/optimizer.ts';
import { checkProjection, projectionDefaults, type ProjectionOptions } from '../projection/projection.ts';
import { ProjectionViews, type ProjectionView } from '../projection/views.ts';
import { SGDWStep } from '../sgd-w/op.ts';
import { SGDW, type SGDWOptions } from '../sgd-w/optimizer.ts';
import { SGDPStep } from './op.ts';

/** Options of {@link SGDP}. */
export interface SGDPOptions extends SGDWOptions {
  /** Added to norms. Default 1e-8. */
  readonly epsilon?: number | undefined;
  /** A weight counts as scale-invariant where the cosine of weight and gradient is below delta / sqrt(elements of a row). Default 0.1. */
  readonly delta?: number | undefined;
  /** What is left of the weight decay of such a weight. Default 0.1. */
  readonly wdRatio?: number | undefined;
  /** 'tensor' (default): all rows of a weight are projected, or none, as published. 'row': each row by its own angle. */
  readonly granularity?: ProjectionOptions['granularity'] | undefined;
  /**
   * Whether the stored velocity loses what the step loses. Default true, as in the published code and its figures; false as in the paper. With
   * nesterov the velocity is never touched.
   */
  readonly projectMomentumBuffer?: boolean | undefined;
}

/**
 * SGDP (Heo et al., "AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights", ICLR 2021): SGD with momentum whose
 * steps do not lengthen weights that a normalization follows. Its decay is learningRate weightDecay / (1 - momentum), which makes it comparable
 * with one that is part of the gradient. Variables of rank 0 and 1 are never projected.
 *
 * @example
 * model.compile({ optimizer: new SGDP({ learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 }), loss: 'categoricalCrossentropy' });
 */
export class SGDP extends SGDW {
  static override get className(): string {
    return 'SGDP';
  }

  readonly #projection: ProjectionOptions;
  readonly #projectMomentumBuffer: boolean;
  readonly #views = new ProjectionViews();

  constructor(options: SGDPOptions = {}) {
    super(options, 'SGDP');
    const { epsilon, delta, wdRatio, granularity, projectMomentumBuffer = true } = options;
    const given = Object.entries({ epsilon, delta, wdRatio, granularity }).filter(([, value]) => value !== undefined);
    this.#projection = { ...projectionDefaults, ...Object.fromEntries(given) };
    this.#projectMomentumBuffer = projectMomentumBuffer;
    checkProjection('SGDP', this.#projection);
  }

  protected override update(update: Update): Updated {
    const { name, value, gradient, state, scale, learningRate, settings } = update;
    const { weightDecay } = settings;
    const inputs = { value, gradient, velocity: state['velocity']!, scale };
    if (value.rank < 2 || !settings.project) {
      this.#views.set(name, undefined);
      // The decay of a step is that of SGDP all the same.
      const next = SGDWStep(inputs, { ...this.sgd, learningRate, weightDecay: weightDecay / (1 - this.sgd.momentum) });
      return { value: next.nextValue, state: { velocity: next.nextVelocity } };
    }
    const { nextValue, nextVelocity, view } = SGDPStep(inputs, {
      ...this.#projection,
      ...this.sgd,
      learningRate,
      weightDecay,
      projectMomentumBuffer: this.#projectMomentumBuffer,
      channelAxes: settings.channelAxes ?? channelAxesOf(name),
    });
    this.#views.set(name, view);
    return { value: nextValue, state: { velocity: nextVelocity } };
  }

  /** What the last step took a variable for: 'channel' if each row was scale-invariant, 'layer' if the whole was, 'none' otherwise. */
  lastProjection(name: string): Promise<ProjectionView> {
    return this.#views.get(name);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#projection, projectMomentumBuffer: this.#projectMomentumBuffer };
  }

  override dispose(): void {
    super.dispose();
    this.#views.dispose();
  }
}
