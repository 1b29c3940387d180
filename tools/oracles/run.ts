import type { Adapter, Adapters } from './adapter.ts';
import { compareResults, type Difference } from './compare.ts';
import { outlines, type BrokenCase, type OracleCase } from './read.ts';

export interface CaseResult {
  readonly slug: string;
  readonly name: string;
  readonly backend?: string;
  readonly status: 'passed' | 'failed' | 'unclaimed';
  /** The worst key, where there was something to compare. */
  readonly worst?: Difference;
  /** Why it failed, where there was nothing to compare. */
  readonly problem?: string;
}

/** Whose case it is: one adapter, or nobody (undefined). More than one, or one that throws, is an error. */
export function findAdapter(oracle: OracleCase, adapters: Adapters): Adapter | undefined {
  const { slug, params, inputs, outputs, grads } = oracle;
  const candidates = Object.hasOwn(adapters, slug) ? adapters[slug]! : [];
  // The name is not shown: nobody may claim by it.
  const claimable = { params, inputs, outputs: outlines(outputs), grads: outlines(grads) };
  const claims = candidates.map((adapter) => adapter.claims(claimable));
  const claimants = candidates.filter((_, i) => claims[i]);
  if (claimants.length > 1) {
    const which = claims.flatMap((claimed, i) => (claimed ? [i + 1] : [])).join(' and ');
    throw new Error(`adapters ${which} of ${candidates.length} for ${slug} claim it, expected one`);
  }
  return claimants[0];
}

/** Runs one case on the backend that is running. */
export async function runCase(oracle: OracleCase, adapter: Adapter, backend: string): Promise<CaseResult> {
  const { slug, name, params, inputs, outputs, grads, tolerance, countTolerance } = oracle;
  const wanted = { outputs: outlines(outputs), grads: outlines(grads) };
  try {
    const found = await adapter.run({ name, params, inputs, wanted }, { backend });
    const { exact = [], compare = {} } = adapter;
    const worst = compareResults(found, { outputs, grads }, { tolerance, countTolerance, exact, compare });
    return { slug, name, backend, status: worst.ratio <= 1 ? 'passed' : 'failed', worst };
  } catch (error) {
    return { slug, name, backend, status: 'failed', problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Runs cases on each backend in turn and tells of each result; cases that cannot be run are told of first, once. */
export async function runCases(
  cases: readonly (OracleCase | BrokenCase)[],
  adapters: Adapters,
  backends: readonly string[],
  start: (backend: string) => Promise<unknown>,
  tell: (result: CaseResult) => void,
): Promise<void> {
  const runnable: [OracleCase, Adapter][] = [];
  for (const oracle of cases) {
    const { slug, name } = oracle;
    try {
      if ('problem' in oracle) throw new Error(oracle.problem);
      const adapter = findAdapter(oracle, adapters);
      if (adapter === undefined) tell({ slug, name, status: 'unclaimed' });
      else runnable.push([oracle, adapter]);
    } catch (error) {
      tell({ slug, name, status: 'failed', problem: (error as Error).message });
    }
  }
  for (const backend of runnable.length === 0 ? [] : backends) {
    await start(backend);
    for (const [oracle, adapter] of runnable) tell(await runCase(oracle, adapter, backend));
  }
}
