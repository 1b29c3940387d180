// What happens to a batch without samples: the last batch of a data set, a filter that nothing passes.
import { grads, type Tensor } from '@tensorflow/tfjs-core';
import { isEvenkeelError } from '../errors.ts';
import type { InputSpec } from '../inputs.ts';
import type { AnyOp } from '../op.ts';
import { describeShapes, type PreparedCase } from './case.ts';
import { difference } from './compare.ts';
import { callOf, evaluate, expect } from './expected.ts';
import type { Call } from './gradients.ts';
import { arrayOf, isEmpty, readAll, upload, uploadAll, type HostTensors } from './host.ts';

export interface EmptyBatch {
  readonly name: string;
  /** Calls the op on the running backend; resolves to what is wrong. */
  check(): Promise<string | undefined>;
}

/** The name of an input's first axis, where the op gives it one. */
function firstAxis(spec: InputSpec | undefined): string {
  const pattern = typeof spec === 'object' ? spec.shape : (spec ?? '...');
  return pattern.split(',')[0]!;
}

/** The inputs with the first axis of the first one, and of those that share it, of length 0. */
function emptied(op: AnyOp, inputs: HostTensors): HostTensors | undefined {
  const [entry] = Object.entries(inputs);
  if (entry === undefined || entry[1].shape.length === 0 || isEmpty(entry[1])) return undefined;
  const [{ shape }, axis] = [entry[1], firstAxis(op.definition.inputs[entry[0]])];
  return Object.fromEntries(
    Object.entries(inputs).map(([name, host]) => {
      const alike = host.shape.length === shape.length || (axis !== '...' && firstAxis(op.definition.inputs[name]) === axis);
      if (!alike || host.shape[0] !== shape[0]) return [name, host];
      return [name, { ...host, shape: [0, ...host.shape.slice(1)], values: arrayOf(host.dtype, 0, () => 0) }];
    }),
  );
}

/**
 * Makes an empty batch of a case. Call it on cpu, whose answer counts: the other backends of tfjs return uninitialised memory or throw.
 * The gradient of the inputs `gradient` is looked at, too. An op may refuse an empty batch (the empty axis may be one that it reduces), but then on all backends, and with an EvenkeelError.
 */
export async function emptyBatch(op: AnyOp, prepared: PreparedCase, gradient: readonly string[]): Promise<EmptyBatch | undefined> {
  const inputs = emptied(op, prepared.inputs);
  if (inputs === undefined) return undefined;
  const call = callOf(op, prepared);
  const name = describeShapes(inputs);
  const attempt = async (): Promise<HostTensors | string> => {
    try {
      return await evaluate(call, inputs);
    } catch (error) {
      if (isEvenkeelError(error, 'SHAPE') || isEvenkeelError(error, 'INVALID_ARGUMENT')) return error.message;
      throw error;
    }
  };
  let wanted: HostTensors | string;
  let broken: unknown;
  try {
    wanted = await attempt();
    if (typeof wanted !== 'string') wanted = (await expect(op, { ...prepared, inputs }, false)).outputs;
  } catch (error) {
    broken = error;
  }
  return {
    name,
    check: async () => {
      if (broken !== undefined) throw broken;
      const found = await attempt();
      if (typeof found === 'string' || typeof wanted === 'string') {
        return found === wanted ? undefined : `on cpu ${say(wanted)}, here ${say(found)}`;
      }
      const wrong = Object.entries(wanted).map(([output, values]) => difference(output, found[output]!, values, prepared.tolerance.values));
      return wrong.filter((each) => each !== undefined).join('; ') || emptyGradient(call, inputs, found, gradient);
    },
  };
}

/** The gradient of an output without elements is 0. Nothing of tfjs is called that may stumble over empty tensors. */
async function emptyGradient(call: Call, inputs: HostTensors, outputs: HostTensors, wrt: readonly string[]): Promise<string | undefined> {
  const output = Object.keys(outputs).find((name) => outputs[name]!.dtype === 'float32' && isEmpty(outputs[name]!));
  if (output === undefined || wrt.length === 0) return undefined;
  const tensors = uploadAll(inputs);
  const dy = upload(outputs[output]!);
  try {
    const f = (...xs: Tensor[]): Tensor => call({ ...tensors, ...Object.fromEntries(wrt.map((name, i) => [name, xs[i]!])) })[output]!;
    const found = grads(f)(
      wrt.map((name) => tensors[name]!),
      dy,
    );
    const gradients = await readAll(Object.fromEntries(wrt.map((name, i) => [name, found[i]!])));
    const wrong = wrt.map((name) => {
      const zeros = { ...inputs[name]!, values: arrayOf('float32', inputs[name]!.values.length, () => 0) };
      return difference(`the gradient of ${name}`, gradients[name]!, zeros, 0, { against: 'an empty batch' });
    });
    return wrong.filter((each) => each !== undefined).join('; ') || undefined;
  } finally {
    for (const tensor of [...Object.values(tensors), dy]) tensor.dispose();
  }
}

function say(answer: HostTensors | string): string {
  return typeof answer === 'string' ? `it is refused (${answer})` : 'it is answered';
}
