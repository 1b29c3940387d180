import type { Tensor } from '@tensorflow/tfjs-core';
import { registered, runOp } from './dispatch.ts';
import { checkAttributes, checkInputs, type InputSpecs, type Inputs } from './inputs.ts';
import type { Attributes, Kernel, TensorSpec } from './kernel.ts';
import type { Owner } from './registry.ts';

/** What an op returns: one tensor, or several by name. */
export type OpResult = Tensor | Record<string, Tensor>;

/** Tells the shape and dtype of an output. */
export type OutputSpec<S extends InputSpecs, A extends object> = (inputs: Inputs<S>, attrs: A) => TensorSpec;

/** Gradients by input, each a tensor or a thunk that is called only when it is wanted. An input that is left out cannot be differentiated. */
export type Gradients<S extends InputSpecs> = { [K in keyof S]?: Tensor | (() => Tensor) | undefined };

/**
 * An op, in one place.
 *
 * @typeParam S - inputs
 * @typeParam A - attributes
 * @typeParam R - result: a tensor, or tensors by name
 */
export interface OpDefinition<S extends InputSpecs = InputSpecs, A extends object = Attributes, R extends OpResult = OpResult> {
  /** The method's name in the field, such as `RMSNorm`. It is registered as `<owner>/<name>`, unless it holds a `/` already. */
  name: string;
  owner: Owner;
  inputs: S;
  /** Attributes with their defaults. Plain data: they live on the tape. */
  attrs?: A;
  /** Throws where shapes or attributes do not fit in a way that the patterns cannot say. */
  check?(inputs: Inputs<S>, attrs: A): void;
  /** Shape and dtype of a single output, which kernels know as `y`. Default: like the first input. */
  output?: OutputSpec<S, A>;
  /** Shapes and dtypes of several outputs, by the names that the reference's result has. */
  outputs?: Record<string, OutputSpec<S, A>>;
  /** The specification: functions of tfjs-core only, no methods, differentiable as it stands. */
  reference(inputs: Inputs<S>, attrs: A): R;
  /**
   * Gradients with respect to the inputs, usually by another op that has kernels of its own.
   * `dy` has the form of the result, and so has `outputs`, which holds what `saveOutputs` names.
   */
  gradient?(dy: R, inputs: Inputs<S>, attrs: A, outputs: R): Gradients<S>;
  /** Outputs that the gradient wants back, by name; a single one is `y`. */
  saveOutputs?: readonly string[];
  /**
   * `derived` (default): the gradient is that of the reference, and opcheck holds it to finite differences.
   * `defined`: the method defines its own backward, and oracles are its only judge.
   */
  gradientKind?: 'derived' | 'defined';
  /** Kernels, best first. A thunk, so that bundlers can drop an op nobody uses. */
  kernels?(): readonly Kernel<A>[];
}

/** An op: an ordinary function that carries its definition. */
export interface Op<S extends InputSpecs = InputSpecs, A extends object = Attributes, R extends OpResult = OpResult> {
  (inputs: Inputs<S>, attrs?: Partial<A>): R;
  /** The registered name, `<owner>/<name>`. */
  readonly id: string;
  readonly definition: OpDefinition<S, A, R>;
}

/** An op whose types do not matter, as registries and checkers hold it. */
// oxlint-disable-next-line typescript/no-explicit-any -- ops of all types share one registry; nothing else says so
export type AnyOp = Op<any, any, any>;

/**
 * Makes an op of its definition. Nothing is registered until the first call.
 *
 * @example
 * const Double = defineOp({
 *   name: 'Double',
 *   owner: { name: '@me/double', version: '1.0.0' },
 *   inputs: { x: '...' },
 *   reference: ({ x }) => tf.mul(x, 2),
 * });
 * Double({ x: tf.tensor([1, 2]) }); // [2, 4]
 */
export function defineOp<const S extends InputSpecs, A extends object, R extends OpResult>(definition: OpDefinition<S, A, R>): Op<S, A, R> {
  const { name, owner, inputs: specs } = definition;
  const defaults = definition.attrs ?? ({} as A);
  const short = name.slice(name.lastIndexOf('/') + 1);

  const op = ((given: Inputs<S>, options?: Partial<A>): R => {
    const attrs = checkAttributes(short, defaults, options);
    const inputs = checkInputs(short, specs, given) as Inputs<S>;
    definition.check?.(inputs, attrs);
    return runOp(registered(op as AnyOp), inputs as Record<string, Tensor>, attrs) as R;
  }) as Op<S, A, R>;

  return Object.assign(op, { id: name.includes('/') ? name : `${owner.name}/${name}`, definition });
}
