import type { BackendName } from '../runner/protocol.ts';
import type { Scheme } from './network.ts';

export interface PaintRequest {
  readonly backend: BackendName;
  /** Where the weights of the networks are. */
  readonly weights: Readonly<Record<Scheme, string>>;
  /** SIDE x SIDE colours from 0 to 1, row by row. */
  readonly picture: Float32Array;
  /** 1 is hole. */
  readonly mask: Float32Array;
}

export interface Painted {
  readonly picture: Float32Array;
  /** Peak signal-to-noise ratio within the hole, in dB. */
  readonly decibels: number;
}

export type PaintReply =
  | {
      readonly kind: 'painted';
      readonly results: Readonly<Record<Scheme, Painted>>;
      /** Where a norm over all pixels puts the means of the valid ones (root mean square over the first layer's channels): 0 is right. */
      readonly shift: number;
      readonly milliseconds: number;
      readonly backend: string;
    }
  | { readonly kind: 'failed'; readonly message: string };
