/** Of the ops of batch-channel normalization and of their kernels. */
export interface BatchChannelNormAttributes {
  numGroups: number;
  epsilon: number;
  /** Whether channelGamma and channelBeta are of channels, not of groups. */
  perChannel: boolean;
}

/** Of the op that moves the estimates. */
export interface BatchChannelNormEstimateAttributes extends BatchChannelNormAttributes {
  /** The share of the batch's statistics in the new estimates. */
  updateRate: number;
}

export interface EstimatedBatchNormAttributes {
  epsilon: number;
  updateRate: number;
}
