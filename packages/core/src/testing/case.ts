import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import { EvenkeelError, show, type ErrorCode } from '../errors.ts';
import type { InputSpec } from '../inputs.ts';
import { sizeOf } from '../kernel.ts';
import type { AnyOp } from '../op.ts';
import { arrayOf, readAll, type HostTensor, type HostTensors } from './host.ts';
import { seedOf, uniform, type Uniform } from './uniform.ts';

/** How far two numbers may lie apart: |a - b| <= tolerance (1 + |b|). */
export interface Tolerances {
  /** Of outputs against the reference on cpu. Default 1e-5. */
  readonly values?: number;
  /** Of gradients, element by element, against autodiff of the reference on cpu. Default 1e-4. */
  readonly gradient?: number;
  /** Of gradients against finite differences, relative. Default 2e-3. */
  readonly differences?: number;
}

/** Values by rule. Without `values` they are random, the same in every run: uniform in [low, high), whole numbers for int32. */
export interface RandomInput {
  readonly shape: readonly number[];
  /** Default: the first that the op's spec allows. */
  readonly dtype?: DataType;
  /** The values in row-major order, or a function of their index. */
  readonly values?: ArrayLike<number> | ((index: number) => number);
  /** Default -1; 0 for int32. */
  readonly low?: number;
  /** Default 1; 10 for int32. */
  readonly high?: number;
}

export type NestedNumbers = number | readonly NestedNumbers[];

/** A number, nested arrays of numbers, or a shape with a rule for its values. */
export type CaseInput = NestedNumbers | RandomInput;

/** A call that an op is checked with. */
export interface OpCase<A extends object = Record<string, unknown>> {
  /** For messages. Default: the shapes. */
  readonly name?: string;
  /** Inputs by name, optional ones left out at will; or a function that makes the tensors (on cpu; they are disposed). */
  readonly inputs: Readonly<Record<string, CaseInput | undefined>> | (() => Record<string, Tensor | undefined>);
  readonly attrs?: Partial<A>;
  /** A number is the tolerance of values. */
  readonly tolerance?: number | Tolerances;
  /** The call must throw an EvenkeelError of this code and leave nothing behind; nothing else is checked of it. */
  readonly throws?: ErrorCode | { readonly code: ErrorCode; readonly argument: string };
  /** The inputs to differentiate with respect to. Default: all that are float32. */
  readonly wrt?: readonly string[];
  /** Whether gradients are checked. Default true. */
  readonly gradient?: boolean;
  /** Step of the finite differences. Default 0.02, right for inputs of about 1. */
  readonly step?: number;
  /**
   * NaN and infinities. Default 'equal': where inputs are finite, results must be; else they must stand where the reference has them.
   * 'allow': the reference may have them for finite inputs, too. 'ignore': such positions are not compared.
   */
  readonly nonFinite?: 'equal' | 'allow' | 'ignore';
  /** false: no kernel needs to serve this call. */
  readonly expectKernel?: false;
}

/** A case made ready: its tensors on the host, the same for all backends. */
export interface PreparedCase {
  readonly name: string;
  readonly inputs: HostTensors;
  readonly attrs: Record<string, unknown>;
  readonly tolerance: Required<Tolerances>;
  readonly given: OpCase;
}

const DEFAULT_TOLERANCES: Required<Tolerances> = { values: 1e-5, gradient: 1e-4, differences: 2e-3 };

export function tolerances(...given: (OpCase['tolerance'] | undefined)[]): Required<Tolerances> {
  const parts = given.map((part) => (typeof part === 'number' ? { values: part } : part));
  return Object.assign({}, DEFAULT_TOLERANCES, ...parts) as Required<Tolerances>;
}

function defaultDtype(spec: InputSpec | undefined): DataType {
  if (spec === undefined || typeof spec === 'string' || spec.dtype === undefined) return 'float32';
  return typeof spec.dtype === 'string' ? spec.dtype : spec.dtype[0]!;
}

function shapeOf(nested: NestedNumbers): number[] {
  return typeof nested === 'number' ? [] : [nested.length, ...(nested.length === 0 ? [] : shapeOf(nested[0]!))];
}

function flatten(nested: NestedNumbers): number[] {
  return typeof nested === 'number' ? [nested] : nested.flatMap(flatten);
}

function randomValues({ low, high }: RandomInput, dtype: DataType, next: Uniform): () => number {
  if (dtype === 'bool') return () => (next() < 0.5 ? 0 : 1);
  if (dtype === 'int32') return () => Math.floor((low ?? 0) + next() * ((high ?? 10) - (low ?? 0)));
  return () => (low ?? -1) + next() * ((high ?? 1) - (low ?? -1));
}

function hostInput(op: AnyOp, name: string, input: CaseInput, next: Uniform): HostTensor {
  const spec = op.definition.inputs[name];
  if (typeof input === 'number' || Array.isArray(input)) {
    const nested = input as NestedNumbers;
    const shape = shapeOf(nested);
    const dtype = defaultDtype(spec);
    const values = flatten(nested);
    if (values.length !== sizeOf(shape)) {
      throw new EvenkeelError('INVALID_ARGUMENT', `${name} is ${show(input)}, expected nested arrays of equal length`, {
        op: 'opcheck',
        argument: name,
      });
    }
    return { shape, dtype, values: arrayOf(dtype, values.length, (i) => values[i]!) };
  }
  const rule = input as RandomInput;
  const { shape, values } = rule;
  const dtype = rule.dtype ?? defaultDtype(spec);
  const size = sizeOf(shape);
  if (typeof values === 'object' && values.length !== size) {
    throw new EvenkeelError('INVALID_ARGUMENT', `${name} has ${values.length} values, expected ${size} for [${shape.join(', ')}]`, {
      op: 'opcheck',
      argument: name,
    });
  }
  const random = randomValues(rule, dtype, next);
  const value = values === undefined ? random : typeof values === 'function' ? values : (i: number): number => values[i]!;
  return { shape: [...shape], dtype, values: arrayOf(dtype, size, value) };
}

export function describeShapes(inputs: HostTensors): string {
  return Object.entries(inputs)
    .map(([name, { shape }]) => `${name} [${shape.join(', ')}]`)
    .join(', ');
}

/** Makes a case ready. Call it on the cpu backend. */
export async function prepare(op: AnyOp, given: OpCase, tolerance?: OpCase['tolerance']): Promise<PreparedCase> {
  let inputs: HostTensors;
  if (typeof given.inputs === 'function') {
    inputs = await readAll(given.inputs());
  } else {
    inputs = {};
    for (const [name, input] of Object.entries(given.inputs)) {
      // Seeded by input and shape, so that a case keeps its values when others come and go.
      if (input !== undefined) inputs[name] = hostInput(op, name, input, uniform(seedOf(`${given.name ?? ''}|${name}`)));
    }
  }
  return {
    name: given.name ?? describeShapes(inputs),
    inputs,
    attrs: (given.attrs ?? {}) as Record<string, unknown>,
    tolerance: tolerances(tolerance, given.tolerance),
    given,
  };
}
