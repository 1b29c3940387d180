import { getBackend } from '@tensorflow/tfjs-core';
import { registered } from './dispatch.ts';
import { EvenkeelError } from './errors.ts';
import type { AnyOp } from './op.ts';
import type { Plugin } from './plugin.ts';
import { registry } from './registry.ts';

/**
 * Compiles every kernel of the ops for the running backend, before any of them runs: a warm-up, and the only way to learn at once that a
 * shader is broken (WebGPU has no synchronous errors). Rejects with all that failed.
 *
 * @example
 * await backend('webgpu');
 * await compile(norms);
 */
export async function compile(what: Plugin | readonly AnyOp[]): Promise<void> {
  const runner = registry.runners.get(getBackend());
  if (runner?.compile === undefined) return;
  const ops = 'version' in what ? (what.ops ?? []) : what;
  const failures: unknown[] = [];
  for (const op of ops) {
    const entry = registered(op);
    entry.kernels ??= op.definition.kernels?.() ?? [];
    const replacement = registry.replacements.get(`${op.id}|${runner.kind}`)?.kernel;
    for (const kernel of [...(replacement ? [replacement] : []), ...entry.kernels]) {
      if (kernel.kind !== runner.kind) continue;
      await runner.compile(op.definition.name, kernel).catch((error: unknown) => failures.push(error));
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) {
    const text = failures.map((error) => (error as Error).message).join('\n');
    throw new EvenkeelError('WGSL', `${failures.length} kernels do not compile:\n${text}`, {
      op: 'compile',
      cause: new AggregateError(failures),
    });
  }
}
