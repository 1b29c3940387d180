// How what an adapter computed is held against what a case says. Nothing is taken for exact because of how a number is written.
import { isTensor, type Comparison, type OracleTensor, type Result, type Value } from './adapter.ts';
import { brief } from './read.ts';

/** The worst difference between two values: `ratio` is error / tolerance, and at most 1 passes. */
export interface Difference {
  readonly path: string;
  readonly ratio: number;
  /** What was found where what was expected. */
  readonly detail: string;
}

export interface Rules {
  readonly tolerance: number;
  readonly countTolerance?: number | undefined;
  readonly exact?: readonly string[];
  readonly compare?: Readonly<Record<string, Comparison>>;
}

type Allowed = (wanted: number) => number;

const none: Allowed = () => 0;

/** The worst difference between the outputs and gradients of a case and those found. */
export function compareResults(
  found: Result,
  wanted: { readonly outputs: Readonly<Record<string, Value>>; readonly grads: Readonly<Record<string, Value>> },
  rules: Rules,
): Difference {
  const relative: Allowed = rules.tolerance === 0 ? none : (b) => rules.tolerance * (1 + Math.abs(b));
  const sections = { outputs: found.outputs, grads: found.grads ?? {} };
  return worst(
    (['outputs', 'grads'] as const).map((section) => compareObjects(section, sections[section], wanted[section], relative, rules)),
  );
}

function worst(differences: readonly Difference[]): Difference {
  return differences.reduce((a, b) => (b.ratio > a.ratio ? b : a), { path: '', ratio: 0, detail: 'equal' });
}

function wrong(path: string, detail: string): Difference {
  return { path, ratio: Infinity, detail };
}

function compareValues(path: string, found: Value | undefined, wanted: Value, allowed: Allowed, rules: Rules): Difference {
  if (typeof wanted === 'number') return compareNumbers(path, found, wanted, allowed);
  if (isTensor(wanted)) return compareTensors(path, found, wanted, allowed);
  if (Array.isArray(wanted)) return compareLists(path, found, wanted as readonly Value[], allowed, rules);
  if (typeof wanted === 'object' && wanted !== null) {
    return compareObjects(path, found, wanted as Readonly<Record<string, Value>>, allowed, rules);
  }
  return found === wanted ? { path, ratio: 0, detail: 'equal' } : wrong(path, `${kind(found)}, expected ${brief(wanted)}`);
}

/** What a value is, where it is not what was expected. */
function kind(value: Value | undefined): string {
  if (value === undefined) return 'missing';
  if (isTensor(value)) return `a tensor of shape ${brief(value.shape)}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : brief(value);
}

function compareNumbers(path: string, found: unknown, wanted: number, allowed: Allowed): Difference {
  if (typeof found !== 'number') return wrong(path, `${kind(found as Value)}, expected the number ${wanted}`);
  const detail = `${found}, expected ${wanted}`;
  if (!Number.isFinite(found)) return wrong(path, detail);
  const error = Math.abs(found - wanted);
  return { path, ratio: error === 0 ? 0 : error / allowed(wanted), detail };
}

function compareTensors(path: string, found: Value | undefined, wanted: OracleTensor, allowed: Allowed): Difference {
  const shape = brief(wanted.shape);
  if (!isTensor(found)) return wrong(path, `${kind(found)}, expected a tensor of shape ${shape}`);
  if (brief(found.shape) !== shape || found.data.length !== wanted.data.length) {
    return wrong(path, `shape ${brief(found.shape)} with ${found.data.length} numbers, expected shape ${shape}`);
  }
  let result: Difference = { path, ratio: 0, detail: 'equal' };
  for (let i = 0; i < wanted.data.length; i++) {
    const difference = compareNumbers(`${path}[${i}]`, found.data[i], wanted.data[i]!, allowed);
    if (difference.ratio > result.ratio) result = difference;
  }
  return result;
}

function compareLists(path: string, found: Value | undefined, wanted: readonly Value[], allowed: Allowed, rules: Rules): Difference {
  if (!Array.isArray(found)) return wrong(path, `${kind(found)}, expected a list of ${wanted.length}`);
  if (found.length !== wanted.length) return wrong(path, `a list of ${found.length}, expected ${wanted.length}`);
  return worst(wanted.map((item, i) => compareValues(`${path}[${i}]`, (found as readonly Value[])[i], item, allowed, rules)));
}

function compareObjects(
  path: string,
  found: Value | undefined,
  wanted: Readonly<Record<string, Value>>,
  allowed: Allowed,
  rules: Rules,
): Difference {
  if (typeof found !== 'object' || found === null || Array.isArray(found) || isTensor(found)) {
    return wrong(path, `${kind(found)}, expected an object`);
  }
  const values = found as Readonly<Record<string, Value>>;
  const extra = Object.keys(values).find((key) => !Object.hasOwn(wanted, key));
  if (extra !== undefined) return wrong(`${path}.${extra}`, 'is there, expected no such key');
  return worst(
    Object.entries(wanted).map(([key, value]) =>
      compareKey(`${path}.${key}`, key, Object.hasOwn(values, key) ? values[key] : undefined, value, allowed, rules),
    ),
  );
}

/** A value under its key, which may have a rule of its own; the rule holds for everything below, unless a key there has another. */
function compareKey(path: string, key: string, found: Value | undefined, wanted: Value, allowed: Allowed, rules: Rules): Difference {
  if (found === undefined) return wrong(path, 'missing');
  if (rules.exact?.includes(key)) return compareValues(path, found, wanted, none, rules);
  const { compare = {}, countTolerance, tolerance } = rules;
  const comparison = Object.hasOwn(compare, key) ? compare[key]! : undefined;
  if (comparison === undefined) {
    const counts: Allowed | undefined = key === 'counts' && countTolerance !== undefined ? () => countTolerance : undefined;
    return compareValues(path, found, wanted, counts ?? allowed, rules);
  }
  if (typeof comparison === 'function') {
    const ratio = comparison(found, wanted, { tolerance });
    const detail = `error / tolerance is ${ratio} by the comparison of this key`;
    return typeof ratio === 'number' && ratio >= 0 ? { path, ratio, detail } : wrong(path, detail);
  }
  if (comparison === 'upToSign') return compareUpToSign(path, found, wanted, allowed);
  if (comparison === 'set') return compareSets(path, found, wanted, allowed, rules);
  return compareValues(path, found, wanted, () => comparison.abs, rules);
}

/** A number or a vector up to its sign; a tensor of more axes, each column (a place along the last axis) up to its own. */
function compareUpToSign(path: string, found: Value, wanted: Value, allowed: Allowed): Difference {
  if (typeof wanted === 'number') {
    const same = compareNumbers(path, found, wanted, allowed);
    const other = typeof found === 'number' ? compareNumbers(path, -found, wanted, allowed) : same;
    return same.ratio <= other.ratio ? same : other;
  }
  if (!isTensor(wanted)) return wrong(path, 'the comparison upToSign is for numbers and tensors');
  const same = compareTensors(path, found, wanted, allowed);
  if (!isTensor(found) || found.data.length !== wanted.data.length) return same;
  const columns = wanted.shape.length > 1 ? wanted.shape.at(-1)! : 1;
  return worst(
    Array.from({ length: columns }, (_, column) => {
      const [a, b] = [found, wanted].map(({ data }) => Array.from(data).filter((__, i) => i % columns === column)) as [number[], number[]];
      const place = columns > 1 ? `${path}[..., ${column}]` : path;
      const [plain, mirrored] = [1, -1].map((sign) =>
        worst(b.map((value, i) => compareNumbers(`${place}[${i}]`, sign * a[i]!, value, allowed))),
      ) as [Difference, Difference];
      return plain.ratio <= mirrored.ratio ? plain : mirrored;
    }),
  );
}

/** The items of a list, or a tensor's entries along its first axis. */
function items(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value as readonly Value[];
  if (!isTensor(value) || value.shape.length === 0) return undefined;
  const [count, ...shape] = value.shape as [number, ...number[]];
  const size = value.data.length / Math.max(1, count);
  return Array.from({ length: count }, (_, i) => ({ shape, data: value.data.slice(i * size, (i + 1) * size) }));
}

/** Every wanted item must have a found item of its own that passes: a perfect matching, found by augmenting paths. */
function compareSets(path: string, found: Value, wanted: Value, allowed: Allowed, rules: Rules): Difference {
  const [have, want] = [items(found), items(wanted)];
  if (have === undefined || want === undefined || isTensor(found) !== isTensor(wanted))
    return wrong(path, `${kind(found)}, expected a set`);
  if (have.length !== want.length) return wrong(path, `${have.length} items, expected ${want.length}`);
  const differences = want.map((item, i) => have.map((other) => compareValues(`${path}[${i}]`, other, item, allowed, rules)));
  /** The wanted item that each found one stands for. */
  const owner: (number | undefined)[] = have.map(() => undefined);
  const place = (i: number, seen: Set<number>): boolean => {
    for (const [j, { ratio }] of differences[i]!.entries()) {
      if (ratio > 1 || seen.has(j)) continue;
      seen.add(j);
      if (owner[j] !== undefined && !place(owner[j], seen)) continue;
      owner[j] = i;
      return true;
    }
    return false;
  };
  const lost = want.findIndex((_, i) => !place(i, new Set()));
  if (lost >= 0) return wrong(`${path}[${lost}]`, `${kind(want[lost])} is not in the set that was found`);
  return worst(owner.map((i, j) => differences[i!]![j]!));
}
