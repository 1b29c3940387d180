import type { AdamAttributes } from '../adam-w/attributes.ts';
import type { ProjectionOptions } from '../projection/projection.ts';

/** Attributes of a step of AdamP. */
export interface AdamPAttributes extends AdamAttributes, ProjectionOptions {
  /** Where the output channels lie: neighbouring axes. */
  channelAxes: readonly number[];
}
