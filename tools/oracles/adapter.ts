// What the tests of a package export (packages/*/test/oracles.ts) so that `pnpm oracles` can run the cases of its methods.

/** A tensor: float64 in a case, any typed array where an adapter returns it. */
export interface OracleTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}

/** A value of a case: JSON whose `{shape, data}` objects have become tensors. */
export type Value = null | boolean | number | string | OracleTensor | readonly Value[] | { readonly [key: string]: Value };

/** A value without its numbers: tensors have a shape and no data, everything that is no list or object is null. */
export type Outline = null | { readonly shape: readonly number[] } | readonly Outline[] | { readonly [key: string]: Outline };

/** What an adapter may know when it says whether a case is its own: `params.op`, else the sets of keys, never the name. */
export interface Claimable {
  readonly params: Readonly<Record<string, Value>>;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Outline>>;
  readonly grads: Readonly<Record<string, Outline>>;
}

/** What an adapter computes from. `wanted` has keys and shapes, never values. */
export interface Case {
  readonly name: string;
  readonly params: Readonly<Record<string, Value>>;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly wanted: { readonly outputs: Readonly<Record<string, Outline>>; readonly grads: Readonly<Record<string, Outline>> };
}

/** What an adapter computed. */
export interface Result {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly grads?: Readonly<Record<string, Value>>;
}

/**
 * How the values under one key are compared, where the method's description says so in prose:
 * - `{ abs: n }`: |a - b| <= n
 * - 'upToSign': a vector, or each column of a matrix, may have the other sign
 * - 'set': the order of a list's items, of a tensor's entries along its first axis, does not matter
 * - a function that gives error / tolerance: at most 1 passes
 */
export type Comparison =
  | { readonly abs: number }
  | 'upToSign'
  | 'set'
  | ((found: Value, wanted: Value, context: { readonly tolerance: number }) => number);

/** How one kind of case is computed. */
export interface Adapter {
  claims(oracle: Claimable): boolean;
  /** Computes on the backend that is running, whose name is given. */
  run(oracle: Case, on: { readonly backend: string }): Promise<Result>;
  /** Keys, at any depth, whose numbers must be equal. */
  readonly exact?: readonly string[];
  /** Other comparisons, by key, at any depth. */
  readonly compare?: Readonly<Record<string, Comparison>>;
}

/** Adapters by the name of the file whose cases they claim. */
export type Adapters = Readonly<Record<string, readonly Adapter[]>>;

/** Whether a value is a tensor, and not JSON that happens to have these keys. */
export function isTensor(value: Value | undefined): value is OracleTensor {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'data') && ArrayBuffer.isView((value as OracleTensor).data);
}
