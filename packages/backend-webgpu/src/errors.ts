// What WebGPU tells too late to be thrown where it belongs: gathered here, thrown by the next read.
import type { DataId } from '@tensorflow/tfjs-core';
import { EvenkeelError, isEvenkeelError } from '@evenkeel/core';

/** Errors of one device that somebody has yet to hear of. */
export interface Reports {
  /** Checks under way. */
  readonly pending: Set<Promise<void>>;
  /** Found, and not thrown yet. */
  readonly found: Set<EvenkeelError>;
  /** Data that a failed op should have written. */
  readonly poisoned: WeakMap<DataId, EvenkeelError>;
  /** Why nothing can be read or run any more. */
  gone: { readonly removed: boolean; readonly reason: string } | undefined;
}

export function newReports(): Reports {
  return { pending: new Set(), found: new Set(), poisoned: new WeakMap(), gone: undefined };
}

async function settle(reports: Reports, check: Promise<EvenkeelError | undefined>): Promise<void> {
  try {
    const error = await check;
    if (error !== undefined) reports.found.add(error);
  } catch (cause) {
    const failed = new EvenkeelError('KERNEL', `a deferred check failed: ${String(cause)}`, { cause });
    reports.found.add(isEvenkeelError(cause) ? cause : failed);
  }
}

/** Makes the next read wait for `check` and throw what it resolves to, or rejects with. */
export function awaitCheck(reports: Reports, check: Promise<EvenkeelError | undefined>): void {
  const settled = settle(reports, check);
  reports.pending.add(settled);
  void settled.finally(() => reports.pending.delete(settled));
}

/** Throws what has been found since the last time, all of it. */
export function throwFound(reports: Reports): void {
  const errors = [...reports.found];
  if (errors.length === 0) return;
  reports.found.clear();
  if (errors.length === 1) throw errors[0]!;
  const text = errors.map(({ message }) => message).join('\n');
  throw new EvenkeelError(errors[0]!.code, `${errors.length} errors on the GPU:\n${text}`, { cause: new AggregateError(errors, text) });
}

/** DEVICE_LOST, if the device is lost or its backend removed. */
export function goneError({ gone }: Reports, op?: string): EvenkeelError | undefined {
  if (gone === undefined) return undefined;
  const what = gone.removed ? "this 'webgpu' backend has been removed" : `the WebGPU device is lost (${gone.reason})`;
  return new EvenkeelError(
    'DEVICE_LOST',
    `${what}, and with it what its tensors held, variables included; only what data() had read before can still be read. ` +
      "await backend('webgpu') starts anew: then load your checkpoint again",
    { ...(op !== undefined && { op }) },
  );
}
