import { compile } from '../compile.ts';
import type { InputSpecs } from '../inputs.ts';
import type { AnyOp, Op, OpResult } from '../op.ts';
import { registry } from '../registry.ts';
import { badCalls, refusedCase } from './bad-calls.ts';
import { alone, findBackends, startForCheck } from './backends.ts';
import { prepare, type OpCase, type PreparedCase } from './case.ts';
import { difference, identical } from './compare.ts';
import { coverage } from './coverage.ts';
import { emptyBatch, type EmptyBatch } from './empty.ts';
import { callOf, declared, evaluate, expect, type Expected } from './expected.ts';
import { differs, gradientsOf, secondGradientsOf, weightsFor, type Call } from './gradients.ts';
import { isFiniteTensor, type HostTensors } from './host.ts';
import { servedByReference, watchCalls, type ExpectKernel } from './kernels.ts';
import { callOnSlices, held, leftBehind, observe, type Observation } from './observe.ts';
import { newRecord, type CheckRecord } from './record.ts';
import { finish, type CheckReport, type FinishOptions } from './report.ts';

export interface OpcheckOptions<A extends object = Record<string, unknown>> extends FinishOptions {
  /** Backends to check on; one that is not there is an error. Default: all that the app handed over and the machine has. */
  readonly backends?: readonly string[];
  /** For all cases; a case's own goes before it. */
  readonly tolerance?: OpCase['tolerance'];
  /** Whether gradients are checked. Default true. */
  readonly gradient?: boolean;
  /** Whether second-order gradients are checked, of cases up to 256 values. Default true. */
  readonly secondOrder?: boolean;
  /**
   * Where a kernel must serve, of this op and of the ops that its gradient calls. Default: wherever the op called has one, so that none falls
   * back to the reference unnoticed. `true`: on every backend that runs kernels. A list: on these. `false`: nowhere.
   */
  readonly expectKernel?: ExpectKernel;
  /**
   * Runs a property with `holds`, which rejects for a case that fails, so that the library in use can look for a smaller one:
   * `(holds) => fc.assert(fc.asyncProperty(caseArbitrary, holds))`. Called once on each backend.
   */
  readonly property?: (holds: (each: OpCase<A>) => Promise<void>) => Promise<unknown>;
}

/** Second-order gradients of more values cost more than they show. */
const SECOND_ORDER_LIMIT = 256;
const STEP = 0.02;

interface Subject {
  readonly op: AnyOp;
  readonly options: OpcheckOptions;
  readonly record: CheckRecord;
}

interface Ready {
  readonly prepared: PreparedCase;
  /** Undefined for a call that must be refused. */
  readonly expected: Expected | undefined;
}

/**
 * Checks an op: its kernels on every backend against its reference on cpu; its gradient against autodiff of the reference and against finite
 * differences, and once more for second order; declared shapes and dtypes; that calls repeat, work on slices and on an empty batch, leave
 * their inputs as they were, share no memory, and leave no tensor and no backend buffer behind; that kernels serve where there are some;
 * that bad calls are refused by name. Works with any test runner. Needs the cpu backend, and tfjs' gradients
 * (`import '@evenkeel/core/register-gradients'`).
 *
 * @param op - made by `defineOp`; a `gradientKind: 'defined'` is compared between backends only
 * @param cases - the calls to check with
 * @returns what was covered
 * @throws EvenkeelError CHECK_FAILED with all that failed, or what keeps it from checking
 *
 * @example
 * use([wasm(), webgpu({ allowSoftware: true })]);
 * await opcheck(LayerNorm, [
 *   { inputs: { x: { shape: [3, 5] } } },
 *   { inputs: { x: { shape: [2, 3, 8] }, gamma: { shape: [8] }, beta: { shape: [8] } }, attrs: { epsilon: 1e-3 } },
 *   { inputs: { x: { shape: [3, 5] }, gamma: { shape: [4] } }, throws: { code: 'SHAPE', argument: 'gamma' } },
 * ]);
 */
export async function opcheck<S extends InputSpecs, A extends object, R extends OpResult>(
  op: Op<S, A, R>,
  cases: Iterable<OpCase<A>>,
  options: OpcheckOptions<A> = {},
): Promise<CheckReport> {
  return alone(async () => {
    const { found, leftOut } = await findBackends(options.backends);
    const record = newRecord();
    const covered = await checkOp(op as AnyOp, cases as Iterable<OpCase>, options as OpcheckOptions, found, record);
    return finish('opcheck', { subject: op.id, backends: found, leftOut, ...covered }, record, options);
  });
}

/** Checks an op on these backends. Resolves to how many cases there were, and what they leave open. */
export async function checkOp(
  op: AnyOp,
  cases: Iterable<OpCase>,
  options: OpcheckOptions,
  backends: readonly string[],
  record: CheckRecord,
): Promise<{ cases: number; notCovered: string[] }> {
  const subject: Subject = { op, options, record };
  await startForCheck('cpu');
  const ready: Ready[] = [];
  let count = 0;
  for (const given of cases) {
    count++;
    const each = await makeReady(subject, given);
    if (each) ready.push(each);
  }
  const first = ready.find(({ expected }) => expected !== undefined);
  const empty = first && (await emptyBatch(op, first.prepared, first.expected?.gradients?.wrt ?? []));
  for (const backend of backends) await checkOn(backend, subject, ready, empty);
  return {
    cases: count,
    notCovered: coverage(
      op,
      ready.map(({ prepared }) => prepared),
    ),
  };
}

/** On cpu: makes the tensors and the expected values. What fails here is the reference or the declaration. */
async function makeReady({ op, options, record }: Subject, given: OpCase): Promise<Ready | undefined> {
  const prepared = await prepare(op, given, options.tolerance);
  if (given.throws !== undefined) return { prepared, expected: undefined };
  let expected: Expected | undefined;
  const made = await record.check('values', '', `${prepared.name} (the reference)`, async () => {
    expected = await expect(op, prepared, options.gradient !== false);
    const { inputs } = prepared;
    const mustBeFinite = (given.nonFinite ?? 'equal') === 'equal' && Object.values(inputs).every(isFiniteTensor);
    const bad = Object.entries(expected.outputs).find(([, output]) => mustBeFinite && !isFiniteTensor(output));
    return bad && `${bad[0]} of the reference is not finite, for finite inputs`;
  });
  if (expected === undefined) return undefined;
  await record.check('declaration', '', prepared.name, () => declared(op, prepared, expected!));
  return made ? { prepared, expected } : undefined;
}

async function checkOn(backend: string, subject: Subject, ready: readonly Ready[], empty: EmptyBatch | undefined): Promise<void> {
  const { op, options, record } = subject;
  await startForCheck(backend);
  if (registry.runners.get(backend)?.compile !== undefined) {
    const compiles = await record.check('compile', backend, '', async () => void (await compile([op])));
    if (!compiles) return;
  }
  for (const { prepared, expected } of ready) {
    if (expected === undefined) await record.check('bad calls', backend, prepared.name, () => refusedCase(op, prepared));
    else await checkCase(backend, subject, prepared, expected);
  }
  const first = ready.find(({ expected }) => expected !== undefined);
  if (first) {
    for (const { name, wrong } of badCalls(op, first.prepared)) await record.check('bad calls', backend, name, () => wrong);
  }
  if (empty) await record.check('empty batch', backend, empty.name, () => empty.check());
  if (options.property) await checkProperty(backend, subject, options.property);
}

function outputsDiffer(found: HostTensors, { outputs }: Expected, { tolerance, given }: PreparedCase): string | undefined {
  const wrong = Object.entries(outputs).map(([name, wanted]) =>
    found[name] === undefined
      ? `output ${name} is missing`
      : difference(name, found[name], wanted, tolerance.values, { ignoreNonFinite: given.nonFinite === 'ignore' }),
  );
  return wrong.filter((each) => each !== undefined).join('; ') || undefined;
}

async function checkCase(backend: string, { op, options, record }: Subject, prepared: PreparedCase, expected: Expected): Promise<void> {
  const { name, inputs, given } = prepared;
  const call = callOf(op, prepared);
  const calls = watchCalls(backend);
  let warm: Observation | undefined;
  await record.check('values', backend, name, async () => {
    warm = await observe(call, inputs);
    return outputsDiffer(warm.outputs, expected, prepared);
  });
  if (warm === undefined) return;
  const { outputs, aliases, changed } = warm;
  await record.check('inputs unchanged', backend, name, () => changed);
  await record.check('no aliases', backend, name, () => aliases);
  // Of the second call: the first may have made what stays, such as compiled shaders.
  let again: Observation | undefined;
  await record.check('no leaks', backend, name, async () => {
    again = await observe(call, inputs);
    return again.leak;
  });
  await record.check('repeatable', backend, name, () => {
    const other = Object.keys(outputs).find((each) => again === undefined || !identical(outputs[each]!, again.outputs[each]!));
    return other && `${other} differs between two calls with the same inputs`;
  });
  await record.check('slices', backend, name, async () => outputsDiffer(await callOnSlices(call, inputs), expected, prepared));
  if (expected.gradients) await checkGradients(backend, { op, options, record }, prepared, expected.gradients, call);
  const wanted = given.expectKernel ?? options.expectKernel;
  if (registry.runners.has(backend) || Array.isArray(wanted)) {
    await record.check('kernel', backend, name, () => servedByReference(op, backend, wanted, calls()));
  }
}

async function checkGradients(
  backend: string,
  { op, options, record }: Subject,
  { name, inputs, tolerance, given }: PreparedCase,
  { wrt, weights, values: wanted, source }: NonNullable<Expected['gradients']>,
  call: Call,
): Promise<void> {
  let found: HostTensors | undefined;
  await record.check('gradient', backend, name, async () => {
    found = await gradientsOf(call, inputs, wrt, weights);
    const wrong = wrt.map((each) =>
      difference(`the gradient of ${each}`, found![each]!, wanted[each]!, tolerance.gradient, { against: source }),
    );
    return wrong.filter((each) => each !== undefined).join('; ') || undefined;
  });
  if (found === undefined) return;
  const gradient = found;
  await record.check('no leaks', backend, name, async () => {
    const before = held();
    await gradientsOf(call, inputs, wrt, weights);
    return leftBehind('a gradient', before);
  });
  if (op.definition.gradientKind === 'defined') return;
  const step = given.step ?? STEP;
  const outputsAt = (moved: HostTensors): Promise<HostTensors> => evaluate(call, moved);
  for (const each of wrt) {
    await record.check('differences', backend, name, () =>
      differs(each, gradient[each]!, inputs, weights, step, tolerance.differences, outputsAt),
    );
  }
  const size = Object.values(inputs).reduce((sum, { values }) => sum + values.length, 0);
  if (options.secondOrder === false || size > SECOND_ORDER_LIMIT) return;
  const seconds = weightsFor(gradient, 'seconds');
  let hessian: HostTensors | undefined;
  for (const each of wrt) {
    await record.check('second order', backend, name, async () => {
      hessian ??= await secondGradientsOf(call, inputs, wrt, weights, seconds);
      const gradientsAt = (moved: HostTensors): Promise<HostTensors> => gradientsOf(call, moved, wrt, weights);
      return differs(each, hessian[each]!, inputs, seconds, step, tolerance.differences, gradientsAt);
    });
  }
}

/** The property holds for a case whose values and gradients are right and which leaves nothing behind. Counted by its cases. */
async function checkProperty(
  backend: string,
  { op, options, record }: Subject,
  property: NonNullable<OpcheckOptions['property']>,
): Promise<void> {
  let cases = 0;
  const holds = async (given: OpCase): Promise<void> => {
    cases++;
    const own = newRecord();
    await startForCheck('cpu');
    const ready = await makeReady({ op, options, record: own }, given);
    await startForCheck(backend);
    if (ready?.expected) {
      await checkCase(backend, { op, options: { ...options, secondOrder: false }, record: own }, ready.prepared, ready.expected);
    } else if (ready) await own.check('bad calls', backend, ready.prepared.name, () => refusedCase(op, ready.prepared));
    if (own.failures.length > 0) throw new Error(own.failures.map(({ check, message }) => `${check}: ${message}`).join('; '));
  };
  const held = await record.check('property', backend, '', async () => void (await property(holds)));
  if (held) record.passed.set(`property|${backend}`, cases);
}
