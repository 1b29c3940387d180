// What a case should give, computed once from the reference on cpu.
import { getGradient, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { outputSpecs } from '../dispatch.ts';
import { EvenkeelError } from '../errors.ts';
import { checkAttributes } from '../inputs.ts';
import type { AnyOp } from '../op.ts';
import type { PreparedCase } from './case.ts';
import { gradientsOf, weightsFor, type Call, type Tensors } from './gradients.ts';
import { byName, isEmpty, isFiniteTensor, read, uploadAll, type HostTensors } from './host.ts';

export interface Expected {
  readonly outputs: HostTensors;
  /** Undefined where nothing is to be differentiated. */
  readonly gradients: ExpectedGradients | undefined;
}

export interface ExpectedGradients {
  readonly wrt: readonly string[];
  /** Weights of the outputs in the sum that is differentiated. */
  readonly weights: HostTensors;
  readonly values: HostTensors;
  /** Where the values come from. */
  readonly source: string;
}

/** The op as a function of its tensors. */
export function callOf(op: AnyOp, { attrs }: PreparedCase): Call {
  return (inputs) => byName(op(inputs, attrs));
}

function referenceOf(op: AnyOp, { attrs }: PreparedCase): Call {
  const { name, attrs: defaults = {}, reference } = op.definition;
  const complete = checkAttributes(name, defaults, attrs);
  return (inputs) => byName(reference(inputs, complete));
}

/** Throws unless tfjs can differentiate: core alone has no gradients. */
export function requireGradients(): void {
  if (getGradient('Sum') && getGradient('Multiply')) return;
  throw new EvenkeelError(
    'MISSING_PEER',
    "TensorFlow.js' gradients are not registered: import '@evenkeel/core/register-gradients', or pass { gradient: false }",
    { op: 'opcheck' },
  );
}

/** Runs a function of tensors on uploaded inputs in a tidy; outputs that are inputs are copied. */
export async function evaluate(call: Call, inputs: HostTensors): Promise<HostTensors> {
  const tensors = uploadAll(inputs);
  const held = new Set<Tensor>(Object.values(tensors));
  try {
    // tidy keeps what is returned; the inputs stay ours.
    const outputs: Tensors = tidy(() => call(tensors));
    const found: HostTensors = {};
    for (const [name, output] of Object.entries(outputs)) found[name] = await read(output);
    for (const output of new Set(Object.values(outputs))) if (!held.has(output)) output.dispose();
    return found;
  } finally {
    for (const tensor of held) tensor.dispose();
  }
}

/** Outputs and gradients of a case. Call it on the cpu backend. */
export async function expect(op: AnyOp, prepared: PreparedCase, gradient: boolean): Promise<Expected> {
  const { inputs, given } = prepared;
  const reference = referenceOf(op, prepared);
  const outputs = await evaluate(reference, inputs);
  const wrt = given.wrt ?? Object.keys(inputs).filter((name) => inputs[name]!.dtype === 'float32');
  const weights = weightsFor(outputs, 'weights');
  const all = [...Object.values(inputs), ...Object.values(outputs)];
  const differentiable = wrt.length > 0 && Object.keys(weights).length > 0 && !all.some(isEmpty) && all.every(isFiniteTensor);
  if (!gradient || given.gradient === false || !differentiable) return { outputs, gradients: undefined };
  requireGradients();
  const defined = op.definition.gradientKind === 'defined';
  return {
    outputs,
    gradients: {
      wrt,
      weights,
      values: await gradientsOf(defined ? callOf(op, prepared) : reference, inputs, wrt, weights),
      source: defined ? "the op's own on cpu" : 'autodiff of the reference',
    },
  };
}

/** Shapes and dtypes that the op declares against what its reference gives. */
export async function declared(op: AnyOp, { inputs, attrs }: PreparedCase, { outputs }: Expected): Promise<string | undefined> {
  const tensors = uploadAll(inputs);
  const { name, attrs: defaults = {} } = op.definition;
  const specs = outputSpecs(op, tensors, checkAttributes(name, defaults, attrs));
  for (const tensor of Object.values(tensors)) tensor.dispose();
  const [said, real] = [Object.keys(specs), Object.keys(outputs)];
  if (said.join() !== real.join()) return `outputs ${said.join(', ')} are declared, the reference returns ${real.join(', ')}`;
  for (const output of said) {
    const { shape, dtype } = specs[output]!;
    const found = outputs[output]!;
    if (shape.join() !== found.shape.join()) {
      return `${output} is declared with shape [${shape.join(', ')}], the reference's has [${found.shape.join(', ')}]`;
    }
    if (dtype !== found.dtype) return `${output} is declared ${dtype}, the reference's is ${found.dtype}`;
  }
  return undefined;
}
