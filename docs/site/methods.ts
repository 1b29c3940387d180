/** Over which part of a tensor one statistic is taken, for the picture at the head of a method's page. */
export interface Method {
  /** What the three directions of the block are. */
  readonly axes: readonly [across: string, down: string, deep: string];
  /** Which cells of a block of 6 x 4 x 4 belong to the statistic that is drawn. */
  readonly shares: (across: number, down: number, deep: number) => boolean;
  readonly caption: string;
}

const pictures = ['channels', 'batch', 'space'] as const;
const tokens = ['features', 'batch', 'sequence'] as const;

const weights = ['filters', 'inputs', 'positions'] as const;
const steps = ['units', 'batch', 'steps'] as const;

const ownRow = (_across: number, down: number, deep: number): boolean => down === 0 && deep === 0;
const ownChannel = (across: number): boolean => across === 5;

/** By the name of the page. */
export const methods: Readonly<Record<string, Method>> = {
  'layer-norm': { axes: tokens, shares: ownRow, caption: 'One mean and one variance for each token, over its features.' },
  'rms-norm': { axes: tokens, shares: ownRow, caption: 'One mean square for each token, over its features.' },
  'crms-norm': {
    axes: tokens,
    shares: (across, down, deep) => ownRow(across, down, deep) && across < 5,
    caption: 'One mean square for each token; its last feature is not stored, since it follows from the others.',
  },
  'group-norm': {
    axes: pictures,
    shares: (across, down) => down === 0 && across >= 3,
    caption: 'One mean and one variance for each sample and group of channels, over space.',
  },
  'instance-norm': {
    axes: pictures,
    shares: (across, down) => down === 0 && across === 5,
    caption: 'One mean and one variance for each sample and channel, over space.',
  },
  'batch-norm': { axes: pictures, shares: ownChannel, caption: 'One mean and one variance for each channel, over the batch and space.' },
  'batch-channel-norm': {
    axes: pictures,
    shares: (across, down) => down === 0 && across >= 3,
    caption: 'One mean and one variance for each sample and group of channels, after each channel was centered by running statistics.',
  },
  'evo-norm': {
    axes: pictures,
    shares: (across, down) => down === 0 && across >= 3,
    caption: 'S0: one variance for each sample and group of channels. B0 takes it of each channel, over the batch.',
  },
  'weight-standardization': {
    axes: weights,
    shares: ownChannel,
    caption: 'One mean and one variance for each filter, over the weights of its kernel: before it is used, and not of what it makes.',
  },
  'l1-norm': {
    axes: tokens,
    shares: ownRow,
    caption: 'One mean and one mean absolute deviation for each token, over its features; the batch norm takes them of each channel.',
  },
  recurrent: { axes: steps, shares: ownRow, caption: 'One mean and one variance for each sample and step, over the units of a cell.' },
  'power-norm': { axes: tokens, shares: ownChannel, caption: 'One mean square for each channel over all tokens; a running one divides.' },
  'unified-norm': {
    axes: tokens,
    shares: ownChannel,
    caption: 'One mean square for each channel over all tokens, averaged over the last steps.',
  },
  'time-dependent-norm': {
    axes: tokens,
    shares: ownRow,
    caption: 'One statistic for each token, over its features; the gain follows the time.',
  },
  'unmix-tns': {
    axes: pictures,
    shares: ownChannel,
    caption: 'Statistics of each channel, from a bank that follows the stream of samples.',
  },
  'region-norm': {
    axes: pictures,
    shares: (across, down, deep) => across === 5 && down === 0 && deep < 2,
    caption: 'One mean and one variance for each sample, channel and region: the hole, and what surrounds it.',
  },
};
