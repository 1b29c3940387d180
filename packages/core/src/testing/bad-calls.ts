// Calls that must be refused: with an error that names what is wrong, and with nothing left behind.
import type { Tensor } from '@tensorflow/tfjs-core';
import { isEvenkeelError, type ErrorCode } from '../errors.ts';
import type { InputSpecs } from '../inputs.ts';
import type { AnyOp } from '../op.ts';
import type { PreparedCase } from './case.ts';
import { arrayOf, byName, upload, uploadAll } from './host.ts';
import { held, leftBehind } from './observe.ts';
import type { Tensors } from './gradients.ts';

interface Refusal {
  readonly code: ErrorCode;
  /** The argument that the error must name. */
  readonly argument: string | undefined;
}

/** Makes a call that must throw; returns what is wrong with how it did. */
export function refused(call: () => ReturnType<AnyOp>, { code, argument }: Refusal): string | undefined {
  const before = held();
  let error: unknown;
  try {
    const outputs = byName(call());
    for (const output of Object.values(outputs)) output.dispose();
    return `nothing was thrown, expected ${code}`;
  } catch (thrown) {
    error = thrown;
  }
  if (!isEvenkeelError(error, code)) {
    const found = isEvenkeelError(error) ? `${error.code}: ${error.message}` : String(error);
    return `threw ${found}, expected an EvenkeelError of code ${code}`;
  }
  if (argument !== undefined && error.argument !== argument) {
    return `the error names argument ${error.argument}, expected ${argument}: ${error.message}`;
  }
  return leftBehind('a refused call', before);
}

interface BadCall {
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly attrs: Record<string, unknown>;
  readonly refusal: Refusal;
}

function invalid(argument: string): Refusal {
  return { code: 'INVALID_ARGUMENT', argument };
}

/** Calls that no op may accept, made of one that it accepts. Tensors made for them are added to `made`. */
function badCallsOf(op: AnyOp, { inputs: hosts, attrs }: PreparedCase, tensors: Tensors, made: Tensor[]): BadCall[] {
  const { inputs: specs, attrs: defaults = {} } = op.definition;
  const calls: BadCall[] = [];
  const withAttrs = (name: string, argument: string, value: unknown): void => {
    calls.push({ name, inputs: tensors, attrs: { ...attrs, [argument]: value }, refusal: invalid(argument) });
  };
  const withInput = (name: string, argument: string, value: unknown, refusal = invalid(argument)): void => {
    calls.push({ name, inputs: { ...tensors, [argument]: value }, attrs, refusal });
  };
  withAttrs('unknown option', 'noSuchOption', 1);
  for (const [argument, value] of Object.entries(defaults as Record<string, unknown>)) {
    if (typeof value === 'number') withAttrs(`${argument} is NaN`, argument, Number.NaN);
    if (value !== null) withAttrs(`${argument} of another type`, argument, typeof value === 'string' ? 1 : 'text');
  }
  withInput('unknown input', 'noSuchInput', Object.values(tensors)[0] ?? 1);
  for (const [argument, spec] of Object.entries(specs as InputSpecs)) {
    const { optional = false, dtype = 'float32' } = typeof spec === 'string' ? {} : spec;
    if (!optional) withInput(`${argument} is missing`, argument, undefined);
    withInput(`${argument} is no tensor`, argument, [1, 2]);
    const host = hosts[argument];
    if (host === undefined) continue;
    const other = (['float32', 'int32', 'bool'] as const).find((each) => !dtype.includes(each));
    if (other !== undefined) {
      const values = arrayOf(other, host.values.length, () => 0);
      const tensor = upload({ shape: host.shape, dtype: other, values });
      made.push(tensor);
      withInput(`${argument} of dtype ${other}`, argument, tensor, { code: 'DTYPE', argument });
    }
    const disposed = upload(host);
    disposed.dispose();
    withInput(`${argument} is disposed`, argument, disposed, { code: 'DISPOSED', argument });
  }
  return calls;
}

/** Makes all bad calls; tells of each what is wrong with how it was refused. */
export function badCalls(op: AnyOp, prepared: PreparedCase): { readonly name: string; readonly wrong: string | undefined }[] {
  const tensors = uploadAll(prepared.inputs);
  const made = Object.values(tensors);
  try {
    return badCallsOf(op, prepared, tensors, made).map(({ name, inputs, attrs, refusal }) => ({
      name,
      wrong: refused(() => op(inputs as Tensors, attrs), refusal),
    }));
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}

/** A call that the case says must be refused. */
export function refusedCase(op: AnyOp, { inputs, attrs, given }: PreparedCase): string | undefined {
  const { throws } = given;
  const refusal = typeof throws === 'object' ? throws : { code: throws!, argument: undefined };
  const tensors = uploadAll(inputs);
  try {
    return refused(() => op(tensors, attrs), refusal);
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}
