import type { serialization } from '@tensorflow/tfjs-core';
import { AdamW, type AdamWOptions } from '../adam-w/optimizer.ts';
import { channelAxesOf } from '../optimizer/groups.ts';
import type { Update, Updated } from '../optimizer/optimizer.ts';
import { checkProjection, projectionDefaults, type ProjectionOptions } from '../projection/projection.ts';
import { ProjectionViews, type ProjectionView } from '../projection/views.ts';
import { AdamPStep } from './op.ts';

/** Options of {@link AdamP}. */
export interface AdamPOptions extends AdamWOptions {
  /** A weight counts as scale-invariant where the cosine of weight and gradient is below delta / sqrt(elements of a row). Default 0.1. */
  readonly delta?: number | undefined;
  /** What is left of the weight decay of such a weight. Default 0.1. */
  readonly wdRatio?: number | undefined;
  /** 'tensor' (default): all rows of a weight are projected, or none, as published. 'row': each row by its own angle. */
  readonly granularity?: ProjectionOptions['granularity'] | undefined;
}

/**
 * AdamP (Heo et al., "AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights", ICLR 2021): AdamW whose steps do not
 * lengthen weights that a normalization follows. It tells these by the angle of weight and gradient, at every step. Variables of rank 0 and 1
 * are never projected.
 *
 * @example
 * model.compile({ optimizer: new AdamP({ learningRate: 1e-3, weightDecay: 0.01 }), loss: 'categoricalCrossentropy' });
 */
export class AdamP extends AdamW {
  static override get className(): string {
    return 'AdamP';
  }

  readonly #projection: ProjectionOptions;
  readonly #views = new ProjectionViews();

  constructor(options: AdamPOptions = {}) {
    super(options, 'AdamP');
    const { delta, wdRatio, granularity } = options;
    const given = Object.entries({ delta, wdRatio, granularity }).filter(([, value]) => value !== undefined);
    this.#projection = { ...projectionDefaults, ...Object.fromEntries(given), epsilon: this.adam.epsilon };
    checkProjection('AdamP', this.#projection);
  }

  protected override update(update: Update): Updated {
    const { name, value, gradient, state, scale, learningRate, step, settings } = update;
    if (value.rank < 2 || !settings.project) {
      this.#views.set(name, undefined);
      return super.update(update);
    }
    const { nextValue, nextFirst, nextSecond, view } = AdamPStep(
      { value, gradient, first: state['m']!, second: state['v']!, scale },
      {
        ...this.#projection,
        ...this.adam,
        learningRate,
        step,
        weightDecay: settings.weightDecay,
        channelAxes: settings.channelAxes ?? channelAxesOf(name),
      },
    );
    this.#views.set(name, view);
    return { value: nextValue, state: { m: nextFirst, v: nextSecond } };
  }

  /** What the last step took a variable for: 'channel' if each row was scale-invariant, 'layer' if the whole was, 'none' otherwise. */
  lastProjection(name: string): Promise<ProjectionView> {
    return this.#views.get(name);
  }

  override getConfig(): serialization.ConfigDict {
    const { delta, wdRatio, granularity } = this.#projection;
    return { ...super.getConfig(), delta, wdRatio, granularity };
  }

  override dispose(): void {
    super.dispose();
    this.#views.dispose();
  }
}
