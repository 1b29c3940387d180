// Keras' identifiers and serialized forms of initializers, regularizers and constraints, which tfjs-layers understands but does not export.
import { serialization } from '@tensorflow/tfjs-core';
import type { constraints, initializers, layers, LayerVariable, regularizers, Shape } from '@tensorflow/tfjs-layers';
import { EvenkeelError, show } from '@evenkeel/core';

export type Initializer = ReturnType<typeof initializers.ones>;
export type Regularizer = ReturnType<typeof regularizers.l2>;
export type Constraint = ReturnType<typeof constraints.nonNeg>;
export type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;
export type { LayerVariable, Shape };

/** What a layer is called with: `training`, `mask` and what else tfjs-layers passes on. */
export type Kwargs = Parameters<layers.Layer['call']>[1];

/** A class name with a configuration, as saved models hold it. */
export interface Serialized {
  className: string;
  config: serialization.ConfigDict;
}

/** An initializer, regularizer or constraint: itself, its name ('zeros', 'l2', 'nonNeg'), or its serialized form. */
export type Identifier<T> = T | string | Serialized | null;

type Factory = [cls: unknown, fromConfig: (cls: unknown, config: serialization.ConfigDict) => unknown];

// Keras serializes these two under their own names; tfjs-layers has one class for both.
const L1_OR_L2 = new Set(['L1', 'L2']);

/** The object that an identifier names. */
export function resolve<T extends serialization.Serializable>(argument: string, identifier: Identifier<T> | undefined): T | null {
  if (identifier === undefined || identifier === null) return null;
  if (typeof identifier === 'string') {
    const className = identifier === 'l1l2' ? 'L1L2' : identifier.charAt(0).toUpperCase() + identifier.slice(1);
    return resolve<T>(argument, { className, config: {} });
  }
  if (!('className' in identifier)) return identifier;
  const { className, config } = identifier;
  if (L1_OR_L2.has(className)) return resolve<T>(argument, { className: 'L1L2', config: { l1: 0, l2: 0, ...config } });
  const known = serialization.SerializationMap.getMap().classNameMap as unknown as Record<string, Factory>;
  const factory = Object.hasOwn(known, className) ? known[className] : undefined;
  if (factory === undefined) {
    throw new EvenkeelError('NOT_FOUND', `${argument} is ${show(className)}, expected the name of a class that tfjs knows`, { argument });
  }
  const [cls, fromConfig] = factory;
  return fromConfig(cls, config) as T;
}

/** The serialized form of what {@link resolve} gave. */
export function serialize(object: serialization.Serializable | null): serialization.ConfigDict | null {
  return object && { className: object.getClassName(), config: object.getConfig() };
}

/** The single tensor, or shape, of a layer that takes one. */
export function single<T>(layer: string, value: T | T[], isOne: (value: T | T[]) => value is T): T {
  if (isOne(value)) return value;
  if (value.length === 1) return value[0]!;
  throw new EvenkeelError('INVALID_ARGUMENT', `${value.length} inputs, expected one`, { op: layer, argument: 'inputs' });
}
