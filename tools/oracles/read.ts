// Reads files of oracle cases. They may come from anybody: whatever does not fit is an error that says where.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isTensor, type Outline, type Value } from './adapter.ts';

export interface OracleCase {
  readonly slug: string;
  readonly name: string;
  readonly params: Readonly<Record<string, Value>>;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly grads: Readonly<Record<string, Value>>;
  readonly tolerance: number;
  /** Absolute, for numbers under `counts`. */
  readonly countTolerance: number | undefined;
}

/** A case that cannot be run, and why. */
export interface BrokenCase {
  readonly slug: string;
  readonly name: string;
  readonly problem: string;
}

export interface OracleFile {
  readonly slug: string;
  readonly cases: readonly (OracleCase | BrokenCase)[];
}

type JsonObject = Record<string, unknown>;

/** A value as a message shows it: short, and on one line whatever it holds. */
export function brief(value: unknown): string {
  // A number that is not finite is null in JSON.
  const text = typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The cases of `file`, which is called after its method. Throws where the file as a whole cannot be read. */
export function readOracles(file: string): OracleFile {
  const slug = basename(file, '.json');
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
  if (!isObject(content) || !Array.isArray(content['cases'])) throw new Error(`${file}: expected an object with a list of cases`);
  const cases = content['cases'] as unknown[];
  if (cases.length === 0) throw new Error(`${file}: expected at least one case`);
  return { slug, cases: cases.map((each, i) => readCase(slug, each, i)) };
}

function readCase(slug: string, content: unknown, index: number): OracleCase | BrokenCase {
  const given = isObject(content) && typeof content['name'] === 'string' ? content['name'] : undefined;
  const name = given ?? `case ${index}`;
  try {
    if (!isObject(content)) throw new Error(`it is ${brief(content)}, expected an object`);
    if (given === undefined) throw new Error(`name is ${brief(content['name'])}, expected a string`);
    const { tolerance, count_tolerance: countTolerance } = content;
    if (!isTolerance(tolerance)) throw new Error(`tolerance is ${brief(tolerance)}, expected a number >= 0`);
    if (countTolerance !== undefined && !isTolerance(countTolerance)) {
      throw new Error(`count_tolerance is ${brief(countTolerance)}, expected a number >= 0`);
    }
    return {
      slug,
      name,
      params: readValues('params', content['params'] ?? {}),
      inputs: readValues('inputs', content['inputs']),
      outputs: readValues('outputs', content['outputs']),
      grads: readValues('grads', content['grads'] ?? {}),
      tolerance,
      countTolerance,
    };
  } catch (error) {
    // Too deep for the stack is a RangeError, and as good a reason as any.
    return { slug, name, problem: (error as Error).message };
  }
}

function isTolerance(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function readValues(path: string, content: unknown): Record<string, Value> {
  if (!isObject(content)) throw new Error(`${path} is ${brief(content)}, expected an object`);
  return mapObject(content, (value, key) => readValue(`${path}.${key}`, value));
}

/** Own properties only, and `__proto__` as a key like others. */
function mapObject<T, R>(object: Readonly<Record<string, T>>, map: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));
}

function readValue(path: string, value: unknown): Value {
  if (Array.isArray(value)) return value.map((item, i) => readValue(`${path}[${i}]`, item));
  if (!isObject(value)) return value as Value;
  const { shape, data } = value;
  if (Object.keys(value).length === 2 && Array.isArray(shape) && Array.isArray(data)) return readTensor(path, shape, data);
  return mapObject(value, (item, key) => readValue(`${path}.${key}`, item));
}

function readTensor(path: string, shape: readonly unknown[], data: readonly unknown[]): Value {
  let size = 1;
  for (const length of shape) {
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
      throw new Error(`${path} has shape ${brief(shape)}, expected lengths >= 0`);
    }
    size *= length;
  }
  if (size !== data.length) throw new Error(`${path} has ${data.length} numbers, expected ${size} for shape ${brief(shape)}`);
  const odd = data.findIndex((value) => typeof value !== 'number' || !Number.isFinite(value));
  if (odd >= 0) throw new Error(`${path} holds ${brief(data[odd])} at ${odd}, expected finite numbers`);
  return { shape: shape as number[], data: Float64Array.from(data as number[]) };
}

/** `value` without its numbers. */
export function outline(value: Value): Outline {
  if (Array.isArray(value)) return (value as readonly Value[]).map(outline);
  if (typeof value !== 'object' || value === null) return null;
  return isTensor(value) ? { shape: value.shape } : outlines(value as Record<string, Value>);
}

export function outlines(values: Readonly<Record<string, Value>>): Record<string, Outline> {
  return mapObject(values, outline);
}
