// All layers that can stand in for each other, by name. A norm is added with a line here.
import type { layers } from '@tensorflow/tfjs-layers';
import { BatchChannelNormalization, EstimatedBatchNormalization } from '../batch-channel-norm/layer.ts';
import { BatchNormalization } from '../batch-norm/layer.ts';
import { CRMSNormalization } from '../crms-norm/layer.ts';
import { EvoNormalization } from '../evo-norm/layer.ts';
import { GroupNormalization } from '../group-norm/layer.ts';
import { InstanceNormalization } from '../instance-norm/layer.ts';
import { L1BatchNormalization } from '../l1-batch-norm/layer.ts';
import { L1LayerNormalization } from '../l1-layer-norm/layer.ts';
import { LayerNormalization } from '../layer-norm/layer.ts';
import { PowerNormalization } from '../power-norm/layer.ts';
import { RegionNormBasic } from '../region-norm/layer-basic.ts';
import { RegionNormLearnable } from '../region-norm/layer-learnable.ts';
import { RMSNormalization } from '../rms-norm/layer.ts';
import { TimeDependentLayerNormalization, TimeDependentRMSNormalization } from '../time-dependent-norm/layer.ts';
import { UnifiedNormalization } from '../unified-norm/layer.ts';
import { UnMixTNS } from '../unmix-tns/layer.ts';

/** What a norm takes of the arguments that all of them share. */
export interface NormTraits {
  /** Which axes it can be told: several, any one, or none, since it works on the last. */
  readonly axis: 'several' | 'one' | 'last';
  /** Whether it can have a beta. */
  readonly center: boolean;
  /** Whether it can have a gamma. */
  readonly scale: boolean;
  /** Whether it can have an activation in the same pass. */
  readonly activation: boolean;
}

/** A norm that has a layer: the class, made from its arguments, and what it takes. */
export interface NormEntry<Args, Layer extends layers.Layer> extends NormTraits {
  readonly layer: { new (args: Args): Layer; readonly className: string };
}

/** A line of the table. Most norms have a gamma and a beta. */
function norm<Args, Layer extends layers.Layer>(
  layer: NormEntry<Args, Layer>['layer'],
  axis: NormTraits['axis'],
  { center = true, scale = true, activation = false }: Partial<Omit<NormTraits, 'axis'>> = {},
): NormEntry<Args, Layer> {
  return { layer, axis, center, scale, activation };
}

/** The norms that have a layer, by the name that `createNorm` knows them by. */
export const NORMS = {
  batch: norm(BatchNormalization, 'one'),
  'batch-channel': norm(BatchChannelNormalization, 'one'),
  crms: norm(CRMSNormalization, 'one', { center: false, scale: false }),
  'estimated-batch': norm(EstimatedBatchNormalization, 'one'),
  'evo-norm': norm(EvoNormalization, 'one'),
  group: norm(GroupNormalization, 'one', { activation: true }),
  instance: norm(InstanceNormalization, 'one', { activation: true }),
  'l1-batch': norm(L1BatchNormalization, 'one'),
  'l1-layer': norm(L1LayerNormalization, 'several'),
  layer: norm(LayerNormalization, 'several', { activation: true }),
  power: norm(PowerNormalization, 'last'),
  region: norm(RegionNormBasic, 'last', { center: false, scale: false }),
  'region-learnable': norm(RegionNormLearnable, 'last', { center: false, scale: false }),
  rms: norm(RMSNormalization, 'one', { center: false, activation: true }),
  'time-dependent': norm(TimeDependentLayerNormalization, 'last'),
  'time-dependent-rms': norm(TimeDependentRMSNormalization, 'last'),
  unified: norm(UnifiedNormalization, 'last'),
  'unmix-tns': norm(UnMixTNS, 'one'),
} as const;

/** The name of a norm, for {@link createNorm} and {@link replaceNorm}. */
export type NormName = keyof typeof NORMS;

/** The layer that a name stands for. */
export type NormLayer<Name extends NormName> = InstanceType<(typeof NORMS)[Name]['layer']>;

/** What a norm makes of the shared arguments. */
export const traitsOf = (name: NormName): NormTraits => NORMS[name];

const BY_CLASS = new Map(Object.entries(NORMS).map(([name, { layer }]) => [layer.className, name as NormName]));

/** The name of a layer's norm; undefined for one that is no norm. tfjs-layers' own norms have the class names of ours. */
export function normNameOf(layer: layers.Layer): NormName | undefined {
  return BY_CLASS.get(layer.getClassName());
}

/** All names, for messages. */
export const normNames = (): string => Object.keys(NORMS).join(', ');
