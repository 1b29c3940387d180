// What happens to a batch without samples: the last batch of a data set, a filter that nothing passes.
import { isEvenkeelError } from '../errors.ts';
import type { AnyOp } from '../op.ts';
import type { PreparedCase } from './case.ts';
import { difference } from './compare.ts';
import { callOf, evaluate, expect } from './expected.ts';
import { arrayOf, isEmpty, type HostTensors } from './host.ts';

export interface EmptyBatch {
  readonly name: string;
  /** Calls the op on the running backend; resolves to what is wrong. */
  check(): Promise<string | undefined>;
}

/** The inputs with the first axis of the first one, and of those that share it, of length 0. */
function emptied(inputs: HostTensors): HostTensors | undefined {
  const [first] = Object.values(inputs);
  if (first === undefined || first.shape.length === 0 || isEmpty(first)) return undefined;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, host]) => {
      const shares = host.shape.length === first.shape.length && host.shape[0] === first.shape[0];
      return [name, shares ? { ...host, shape: [0, ...host.shape.slice(1)], values: arrayOf(host.dtype, 0, () => 0) } : host];
    }),
  );
}

/**
 * Makes an empty batch of a case. Call it on cpu, whose answer counts: the other backends of tfjs return uninitialised memory or throw.
 * An op may refuse it (the empty axis may be one that it reduces), but then on all backends, and with an EvenkeelError.
 */
export async function emptyBatch(op: AnyOp, prepared: PreparedCase): Promise<EmptyBatch | undefined> {
  const inputs = emptied(prepared.inputs);
  if (inputs === undefined) return undefined;
  const call = callOf(op, prepared);
  const name = `${Object.entries(inputs)
    .map(([each, { shape }]) => `${each} [${shape.join(', ')}]`)
    .join(', ')}`;
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
      return wrong.filter((each) => each !== undefined).join('; ') || undefined;
    },
  };
}

function say(answer: HostTensors | string): string {
  return typeof answer === 'string' ? `it is refused (${answer})` : 'it is answered';
}
