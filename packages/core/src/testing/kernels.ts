// Which kernels served a stretch of calls, from the records that inspect() shows.
import type { AnyOp } from '../op.ts';
import { registry, type CallRecord } from '../registry.ts';

/** Which backends must serve calls by a kernel. `true`: all that run kernels. Default: those for which the op called has one. */
export type ExpectKernel = boolean | readonly string[];

/** Notes how often each record has been counted; the function returned gives those that were counted since. */
export function watchCalls(backend: string): () => CallRecord[] {
  const before = new Map([...registry.calls].map(([key, { calls }]) => [key, calls]));
  return () =>
    [...registry.calls]
      .filter(([key, record]) => record.backend === backend && record.calls > (before.get(key) ?? 0))
      .map(([, record]) => record);
}

/** What is wrong with how the calls were served. */
export function servedByReference(op: AnyOp, backend: string, expected: ExpectKernel | undefined, calls: CallRecord[]): string | undefined {
  const runner = registry.runners.get(backend);
  const named = Array.isArray(expected) ? expected.includes(backend) : expected === true && runner !== undefined;
  if (expected === false || (runner === undefined && !named)) return undefined;
  const fallen = calls.filter(({ served, op: id }) => served === 'reference' && (named || (runner && hasKernel(id, runner.kind))));
  if (fallen.length > 0) return fallen.map(({ op: id, reason }) => `the reference served ${id}: ${reason}`).join('; ');
  if (named && !calls.some((call) => call.op === op.id)) return `no call of ${op.id} was recorded`;
  return undefined;
}

function hasKernel(id: string, kind: string): boolean {
  const entry = registry.ops.get(id);
  return registry.replacements.has(`${id}|${kind}`) || (entry?.kernels ?? []).some((kernel) => kernel.kind === kind);
}
