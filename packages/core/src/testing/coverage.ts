import type { InputSpec } from '../inputs.ts';
import type { AnyOp } from '../op.ts';
import type { PreparedCase } from './case.ts';

/** What the cases of an op leave open, in words. */
export function coverage(op: AnyOp, cases: readonly PreparedCase[]): string[] {
  const { inputs: specs, attrs: defaults = {} } = op.definition;
  const good = cases.filter(({ given }) => given.throws === undefined);
  if (good.length === 0) return ['anything: there are no cases'];
  const open: string[] = [];
  for (const [name, spec] of Object.entries(specs as Record<string, InputSpec>)) {
    if (typeof spec === 'string' || !spec.optional) continue;
    if (good.every(({ inputs }) => name in inputs)) open.push(`calls without ${name}`);
    if (good.every(({ inputs }) => !(name in inputs))) open.push(`calls with ${name}`);
  }
  for (const name of Object.keys(defaults))
    if (good.every(({ attrs }) => attrs[name] === undefined)) open.push(`${name} other than its default`);
  // Kernels work on vectors of 4 and on blocks of them; what is left over is where they go wrong.
  const odd = good.some(({ inputs }) => Object.values(inputs).some(({ shape }) => (shape.at(-1) ?? 0) % 4 !== 0));
  if (!odd) open.push('a last axis that is no multiple of 4');
  return open;
}
