// What stands between a call of an op and tfjs' engine: registration under the engine's rules, and the choice of a kernel.
import {
  backend as startBackend,
  getBackend,
  getKernel,
  registerGradient,
  registerKernel,
  tidy,
  zeros,
  clone,
  getGradient,
  unregisterGradient,
  unregisterKernel,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { EvenkeelError } from './errors.ts';
import { sizeOf, type Attributes, type Kernel, type KernelCall, type TensorSpec } from './kernel.ts';
import type { InputSpecs } from './inputs.ts';
import type { AnyOp, Gradients, OpResult } from './op.ts';
import { registry, sharesName, type CallRecord, type OpEntry, type Owner } from './registry.ts';
import { isRecording, runKernel } from './tfjs.ts';

type Tensors = Record<string, Tensor>;

/** The op's entry in the registry, made at its first call. A name that another package holds is an error. */
export function registered(op: AnyOp): OpEntry {
  let entry = registry.ops.get(op.id);
  if (entry === undefined) {
    entry = { op, owner: op.definition.owner, kernels: undefined, registrations: [] };
    registry.ops.set(op.id, entry);
  } else if (entry.op !== op) sharesName(`op ${op.id}`, entry.owner, op.definition.owner);
  return entry;
}

/** Takes an op out of the registries of core and tfjs. Its next call registers it anew. */
export function unregisterOp(op: AnyOp): void {
  const entry = registry.ops.get(op.id);
  if (entry === undefined) return;
  for (const [name, backend] of entry.registrations) {
    unregisterKernel(name, backend);
    if (getGradient(name)) unregisterGradient(name);
  }
  registry.ops.delete(op.id);
  for (const [key, record] of registry.calls) if (record.op === op.id) registry.calls.delete(key);
}

/** Names of the outputs, in order; a single output is called `y`. */
function outputNames(op: AnyOp): readonly string[] {
  const { outputs } = op.definition;
  return outputs === undefined ? ['y'] : Object.keys(outputs);
}

/** Specs of the outputs by name. */
export function outputSpecs(op: AnyOp, inputs: Tensors, attrs: object): Record<string, TensorSpec> {
  const { output, outputs, inputs: specs } = op.definition;
  if (outputs !== undefined) return Object.fromEntries(Object.entries(outputs).map(([name, spec]) => [name, spec(inputs, attrs)]));
  if (output !== undefined) return { y: output(inputs, attrs) };
  const { shape, dtype } = inputs[Object.keys(specs)[0]!]!;
  return { y: { shape, dtype } };
}

function isTensor(result: OpResult): result is Tensor {
  return 'dataId' in result;
}

/** The tensors that the reference returned, in the order of the outputs. */
function inOrder(op: AnyOp, result: OpResult): Tensor[] {
  const tensors = isTensor(result) ? { y: result } : result;
  return outputNames(op).map((name) => {
    const tensor = tensors[name];
    if (tensor !== undefined) return tensor;
    throw new EvenkeelError('KERNEL', `the reference returns ${Object.keys(tensors).join(', ')}, expected ${outputNames(op).join(', ')}`, {
      op: op.definition.name,
    });
  });
}

/** tfjs' tensor or tensors as the result that the op declares. */
function toResult(op: AnyOp, tensors: Tensor | readonly Tensor[]): OpResult {
  const list = Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor];
  if (op.definition.outputs === undefined) return list[0]!;
  return Object.fromEntries(outputNames(op).map((name, i) => [name, list[i]!]));
}

/** Runs an op whose call has been checked. */
export function runOp(entry: OpEntry, inputs: Tensors, attrs: object): OpResult {
  const { op } = entry;
  // Without a gradient of its own, let the tape see the reference's primitives: they have theirs. But not for empty tensors.
  if (op.definition.gradient === undefined && isRecording() && !Object.values(inputs).some(isEmpty)) {
    const seen = new Set(Object.values(inputs));
    return toResult(
      op,
      inOrder(op, op.definition.reference(inputs, attrs)).map((result) => apart(result, seen)),
    );
  }
  const backend = runningBackend(op.definition.name);
  const name = kernelName(entry, inputs);
  if (getKernel(name, backend) === undefined) register(entry, name, Object.keys(inputs), backend);
  return toResult(op, runKernel(name, inputs, attrs));
}

/** The backend's name. Where a program has set none, tfjs takes the best one at the first use, if that can start at once. */
function runningBackend(op: string): string {
  const name = getBackend();
  if (name) return name;
  try {
    startBackend();
  } catch (cause) {
    throw new EvenkeelError('BACKEND_UNAVAILABLE', "no backend is running; start one with await backend('auto')", { op, cause });
  }
  return getBackend();
}

/**
 * tfjs wants one kernel name for one set of inputs: its tape reads every input's id, and its list of inputs to save is fixed.
 * So an op with absent inputs runs as `Name(x)`.
 */
function kernelName({ op }: OpEntry, inputs: Tensors): string {
  const present = Object.keys(inputs);
  return present.length === Object.keys(op.definition.inputs).length ? op.id : `${op.id}(${present.join(',')})`;
}

function register(entry: OpEntry, name: string, present: readonly string[], backendName: string): void {
  registerKernel({
    kernelName: name,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      serve(entry, inputs as Tensors, (attrs ?? {}) as unknown as Attributes, backendName, backend),
  });
  entry.registrations.push([name, backendName]);
  if (!getGradient(name)) registerOpGradient(entry.op, name, present);
}

function registerOpGradient(op: AnyOp, kernelName: string, present: readonly string[]): void {
  const { gradient, saveOutputs = [] } = op.definition;
  const names = outputNames(op);
  const saved = names.filter((name) => saveOutputs.includes(name));
  registerGradient({
    kernelName,
    inputsToSave: [...present],
    outputsToSave: names.map((name) => saved.includes(name)),
    gradFunc: (dy: Tensor | Tensor[], tensors: Tensor[], attrs: unknown) => {
      const inputs = Object.fromEntries(present.map((name, i) => [name, tensors[i]!]));
      const dys = Array.isArray(dy) ? dy : [dy];
      // tfjs' ops, of which the gradient may be made, are wrong on empty tensors or throw.
      if (gradient === undefined || [...Object.values(inputs), ...dys].some(isEmpty)) return zeroGradients(inputs);
      const outputs = savedOutputs(op, inputs, attrs as object, saved, tensors.slice(present.length));
      const gradients = gradient(toResult(op, dy), inputs, attrs as object, outputs) as Gradients<InputSpecs>;
      return separate(gradients, [...tensors, ...dys]);
    },
  });
}

/** The outputs that the op asked to have back, in the form of its result. */
function savedOutputs(
  op: AnyOp,
  inputs: Tensors,
  attrs: object,
  names: readonly string[],
  tensors: readonly Tensor[],
): OpResult | undefined {
  // Under a second tape a saved output counts as a constant: tfjs records its copy before the op itself. So it is computed anew.
  if (names.length > 0 && isRecording()) return op.definition.reference(inputs, attrs);
  if (op.definition.outputs === undefined) return tensors[0];
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
}

function zeroGradients(inputs: Tensors): Record<string, () => Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, () => zeros(shape)]));
}

/**
 * tfjs disposes a gradient once it is added to another, so no two inputs may get the same tensor, nor one that somebody else holds.
 */
function separate(gradients: Gradients<InputSpecs>, held: readonly Tensor[]): Record<string, () => Tensor> {
  const seen = new Set(held);
  const closures: Record<string, () => Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    if (gradient === undefined) continue;
    if (typeof gradient === 'function') {
      closures[name] = gradient;
      continue;
    }
    const shared = seen.has(gradient);
    seen.add(gradient);
    closures[name] = shared ? () => clone(gradient) : () => gradient;
  }
  return closures;
}

/** The kernel function of every op on every backend: the first kernel that takes the call, else the reference. */
function serve(entry: OpEntry, inputs: Tensors, attrs: Attributes, backendName: string, backend: object) {
  const { op } = entry;
  const outputs = outputSpecs(op, inputs, attrs);
  if (Object.values(inputs).some(isEmpty) || Object.values(outputs).some(isEmpty)) {
    note(op, backendName, 'empty');
    return Object.values(outputs).map(({ shape, dtype }) => zeros([...shape], dtype as 'float32'));
  }
  const call: KernelCall = { inputs, outputs, attrs };
  const runner = registry.runners.get(backendName);
  let reason =
    runner === undefined
      ? `nothing runs kernels on '${backendName}'${backendName === 'cpu' ? '' : ': use() its backend package'}`
      : `no ${runner.kind} kernel`;
  if (runner !== undefined) {
    for (const { kernel, owner } of candidates(entry, runner.kind)) {
      const refusal = runner.refuses(kernel, call, backend);
      if (refusal === undefined) {
        note(op, backendName, 'kernel', owner);
        return runner.run(op.definition.name, kernel, inputs, call, backend);
      }
      reason = refusal;
    }
  }
  note(op, backendName, 'reference', undefined, reason);
  return reference(op, inputs, attrs);
}

function isEmpty({ shape }: { shape: readonly number[] }): boolean {
  return sizeOf(shape) === 0;
}

function reference(op: AnyOp, inputs: Tensors, attrs: Attributes): Tensor[] {
  return tidy(() => {
    const seen = new Set(Object.values(inputs));
    // An output that is an input, or another output, would die with it.
    return inOrder(op, op.definition.reference(inputs, attrs)).map((result) => apart(result, seen));
  });
}

/** The tensor, or a copy if it is among those seen. */
function apart(tensor: Tensor, seen: Set<Tensor>): Tensor {
  const shared = seen.has(tensor);
  seen.add(tensor);
  return shared ? clone(tensor) : tensor;
}

function* candidates(entry: OpEntry, kind: Kernel['kind']): Generator<{ kernel: Kernel; owner: Owner }> {
  const { op } = entry;
  const replacement = registry.replacements.get(`${op.id}|${kind}`);
  if (replacement) yield replacement;
  // Made once: runners keep what they compiled by the kernel's identity.
  entry.kernels ??= op.definition.kernels?.() ?? [];
  for (const kernel of entry.kernels) if (kernel.kind === kind) yield { kernel, owner: op.definition.owner };
}

function note(op: AnyOp, backend: string, served: CallRecord['served'], owner?: Owner, reason?: string): void {
  const key = `${op.id}|${backend}|${served}|${owner?.name ?? reason ?? ''}`;
  const record = registry.calls.get(key);
  if (record) record.calls++;
  else
    registry.calls.set(key, {
      op: op.id,
      backend,
      served,
      ...(owner && { by: owner.name }),
      ...(reason !== undefined && { reason }),
      calls: 1,
    });
}
