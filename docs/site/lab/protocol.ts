// What the pages that train and their worker tell each other.
import type { BackendName } from '../runner/protocol.ts';

export const NORMS = [
  'none',
  'batch',
  'layer',
  'rms',
  'group',
  'instance',
  'batch-channel',
  'evo-norm',
  'l1-batch',
  'l1-layer',
  'power',
  'unified',
] as const;
export type Norm = (typeof NORMS)[number];

/** With the learning rates that they start from. */
export const OPTIMIZERS = { sgd: 0.1, momentum: 0.03, rmsprop: 0.001, adagrad: 0.03, adam: 0.003 } as const;
export type OptimizerName = keyof typeof OPTIMIZERS;

export interface RunSettings {
  readonly norm: Norm;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
}

export interface StartRequest {
  readonly kind: 'start';
  readonly backend: BackendName;
  /** Where the digits are. */
  readonly digits: string;
  /** Two convolutions and a dense layer, or so many dense layers. */
  readonly network: 'convolutions' | { readonly depth: number };
  readonly runs: readonly RunSettings[];
  readonly steps: number;
  /** Whether to tell what passes each layer. */
  readonly inspect: boolean;
}

export type LabRequest =
  | StartRequest
  | { readonly kind: 'stop' }
  | { readonly kind: 'resume' }
  /** Pixels from 0 to 1. */
  | { readonly kind: 'classify'; readonly pixels: Float32Array }
  /** The held-out digit of that number. */
  | { readonly kind: 'digit'; readonly digits: string; readonly index: number };

/** What passes a layer. */
export interface LayerReport {
  /** Shares of the values in equal steps from -RANGE to RANGE; what is beyond counts at the ends. */
  readonly shares: readonly number[];
  readonly mean: number;
  readonly deviation: number;
  /** Channels that are the same for the whole batch behind the activation, of so many. */
  readonly dead: number;
  readonly channels: number;
  /** Length of the loss' gradient by the layer's output. */
  readonly gradient: number;
}

/** Where histograms end, and their steps. */
export const RANGE = 4;
export const BINS = 40;

export type LabReply =
  | { readonly kind: 'ready'; readonly backend: string; readonly train: number; readonly test: number }
  /** The loss of each run at a step; undefined for a run that has ended. */
  | { readonly kind: 'step'; readonly step: number; readonly losses: readonly (number | undefined)[] }
  /** Percent of the held-out digits, and milliseconds a step (median). */
  | { readonly kind: 'accuracy'; readonly step: number; readonly percent: readonly number[]; readonly milliseconds: readonly number[] }
  | { readonly kind: 'layers'; readonly step: number; readonly runs: readonly (readonly LayerReport[])[] }
  /** A run that cannot go on, and why. */
  | { readonly kind: 'ended'; readonly run: number; readonly why: string }
  | { readonly kind: 'stopped'; readonly step: number; readonly done: boolean }
  | { readonly kind: 'classified'; readonly probabilities: readonly (readonly number[])[] }
  | { readonly kind: 'digit'; readonly pixels: Float32Array; readonly label: number }
  | { readonly kind: 'failed'; readonly message: string };
