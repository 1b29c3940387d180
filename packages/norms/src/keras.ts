// Keras' identifiers and serialized forms of initializers, regularizers and constraints, which tfjs-layers understands but does not export.
import { serialization, type Tensor } from '@tensorflow/tfjs-core';
import type { constraints, initializers, layers, LayerVariable, regularizers, Shape } from '@tensorflow/tfjs-layers';
import { EvenkeelError, show } from '@evenkeel/core';
import { Orthogonal } from './orthogonal.ts';

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

/** Keras has three classes where tfjs-layers has one. Both take 0.01 for a factor that is not given. */
const LASSO_AND_RIDGE: Record<string, serialization.ConfigDict> = { L1: { l1: 0.01, l2: 0 }, L2: { l1: 0, l2: 0.01 } };

/** The object that an identifier names. */
export function resolve<T extends serialization.Serializable>(argument: string, identifier: Identifier<T> | undefined): T | null {
  if (identifier === undefined || identifier === null) return null;
  if (typeof identifier === 'string') {
    const className = identifier === 'l1l2' ? 'L1L2' : identifier.charAt(0).toUpperCase() + identifier.slice(1);
    return resolve<T>(argument, { className, config: {} });
  }
  if (!('className' in identifier)) return identifier;
  const { className, config } = identifier;
  const factors = Object.hasOwn(LASSO_AND_RIDGE, className) ? LASSO_AND_RIDGE[className] : undefined;
  if (factors !== undefined) return resolve<T>(argument, { className: 'L1L2', config: { ...factors, ...config } });
  // Only theirs is known to tfjs, and it does not work without all of it.
  if (className === Orthogonal.className) return new Orthogonal(config) as unknown as T;
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

/** The tensor of a layer that takes one. */
export function oneTensor(layer: string, inputs: Tensor | Tensor[]): Tensor {
  return Array.isArray(inputs) ? one(layer, inputs) : inputs;
}

/** The shape of a layer that takes one input. */
export function oneShape(layer: string, shape: Shape | Shape[]): Shape {
  return shape.some((axis) => Array.isArray(axis)) ? one(layer, shape as Shape[]) : (shape as Shape);
}

function one<T>(layer: string, values: T[]): T {
  if (values.length === 1) return values[0]!;
  throw new EvenkeelError('INVALID_ARGUMENT', `it has ${values.length} inputs, expected one`, { op: layer, argument: 'inputs' });
}
