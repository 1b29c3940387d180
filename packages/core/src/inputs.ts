import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, show } from './errors.ts';

/**
 * What an op says of one of its tensors. Plain data, without calls, so that bundlers can drop an op that nobody uses.
 *
 * `shape` names the axes, comma-separated, such as `...,n` or `batch,steps,channels`. `...` stands for any number of axes. A name that
 * stands twice, also in another input, must have one length. A string alone is a required float32 tensor of that shape.
 */
export type InputSpec =
  | string
  | {
      readonly shape: string;
      /** Default float32. */
      readonly dtype?: DataType | readonly DataType[];
      /** Whether the caller may leave it out. */
      readonly optional?: boolean;
    };

export type InputSpecs = Readonly<Record<string, InputSpec>>;

/** The tensors of a call, optional ones possibly undefined. */
export type Inputs<S extends InputSpecs> = {
  [K in keyof S as S[K] extends { readonly optional: true } ? never : K]: Tensor;
} & {
  [K in keyof S as S[K] extends { readonly optional: true } ? K : never]?: Tensor | undefined;
};

function isTensor(value: unknown): value is Tensor {
  // Not instanceof: two copies of tfjs on a page exchange tensors freely.
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value && 'dtype' in value;
}

interface Binding {
  length: number;
  input: string;
}

function fitShape(op: string, name: string, shape: readonly number[], pattern: string, bound: Map<string, Binding>): void {
  const names = pattern.split(',');
  const gap = names.indexOf('...');
  const fixed = gap < 0 ? names.length : names.length - 1;
  const fail = (expected: string): never => {
    throw new EvenkeelError('SHAPE', `${name} has shape [${shape.join(', ')}], expected ${expected}`, { op, argument: name });
  };
  if (gap < 0 ? shape.length !== fixed : shape.length < fixed) {
    const known = names.map((axis) => bound.get(axis)?.length ?? axis);
    fail(`[${known.join(', ')}]${gap < 0 ? '' : ` (rank ${fixed} or more)`}`);
  }
  for (let i = 0; i < names.length; i++) {
    if (i === gap) continue;
    const axis = names[i]!;
    const length = shape[gap < 0 || i < gap ? i : shape.length - names.length + i]!;
    const binding = bound.get(axis);
    if (binding === undefined) bound.set(axis, { length, input: name });
    else if (binding.length !== length) {
      const known = names.map((other) => bound.get(other)?.length ?? other);
      fail(`[${known.join(', ')}]: ${axis} = ${binding.length}, as in ${binding.input}`);
    }
  }
}

/** Checks the tensors of a call and returns those that are present, in the order of the specs. */
export function checkInputs(op: string, specs: InputSpecs, given: Record<string, unknown>): Record<string, Tensor> {
  const present: Record<string, Tensor> = {};
  const bound = new Map<string, Binding>();
  for (const name in specs) {
    const spec = specs[name]!;
    const { shape, dtype = 'float32', optional = false } = typeof spec === 'string' ? { shape: spec } : spec;
    const value = given[name];
    if (value === undefined || value === null) {
      if (optional) continue;
      throw new EvenkeelError('INVALID_ARGUMENT', `${name} is missing, expected a tensor [${shape}]`, { op, argument: name });
    }
    if (!isTensor(value)) {
      throw new EvenkeelError('INVALID_ARGUMENT', `${name} is ${show(value)}, expected a tensor [${shape}]`, { op, argument: name });
    }
    if (value.isDisposed) throw new EvenkeelError('DISPOSED', `${name} is disposed`, { op, argument: name });
    if (typeof dtype === 'string' ? dtype !== value.dtype : !dtype.includes(value.dtype)) {
      throw new EvenkeelError('DTYPE', `${name} has dtype ${value.dtype}, expected ${String(dtype).replaceAll(',', ' or ')}`, {
        op,
        argument: name,
      });
    }
    fitShape(op, name, value.shape, shape, bound);
    present[name] = value;
  }
  for (const name in given) {
    if (!(name in specs) && given[name] !== undefined) {
      throw new EvenkeelError('INVALID_ARGUMENT', `unknown input ${name}, expected ${Object.keys(specs).join(', ')}`, {
        op,
        argument: name,
      });
    }
  }
  return present;
}

/** Attributes of a call: the defaults, overwritten by what was given. Unknown names, other types and NaN are errors. */
export function checkAttributes<A extends object>(op: string, defaults: A, given: Partial<A> | undefined): A {
  if (given === undefined) return defaults;
  const attributes = { ...defaults } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(defaults, name)) {
      throw new EvenkeelError('INVALID_ARGUMENT', `unknown option ${name}, expected ${Object.keys(defaults).join(', ') || 'none'}`, {
        op,
        argument: name,
      });
    }
    const usual = (defaults as Record<string, unknown>)[name];
    const alike = usual === null || (Array.isArray(usual) ? Array.isArray(value) : typeof value === typeof usual);
    if (!alike || Number.isNaN(value)) {
      throw new EvenkeelError(
        'INVALID_ARGUMENT',
        `${name} is ${show(value)}, expected ${usual === null ? 'another value' : Array.isArray(usual) ? 'an array' : `a ${typeof usual}`}`,
        { op, argument: name },
      );
    }
    attributes[name] = value;
  }
  return attributes as A;
}
