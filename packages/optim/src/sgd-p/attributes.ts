import type { ProjectionOptions } from '../projection/projection.ts';
import type { SGDAttributes } from '../sgd-w/attributes.ts';

/** Attributes of a step of SGDP. */
export interface SGDPAttributes extends SGDAttributes, ProjectionOptions {
  /** Where the output channels lie: neighbouring axes. */
  channelAxes: readonly number[];
  /** Whether what is taken out of the step is taken out of the velocity, too (not with nesterov): as published code does, not the paper. */
  projectMomentumBuffer: boolean;
}

/** The decay of a step: what makes it comparable with a decay that is part of the gradient, and so goes through the velocity. */
export const sgdPDecay = ({ learningRate, momentum, weightDecay }: SGDAttributes): number => (learningRate * weightDecay) / (1 - momentum);
