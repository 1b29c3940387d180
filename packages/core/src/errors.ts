/** What went wrong, for programs; the message is for people. Every code has an entry in the troubleshooting guide. */
export type ErrorCode =
  | 'ABORTED'
  | 'BACKEND_UNAVAILABLE'
  | 'CHECK_FAILED'
  | 'DEVICE_LOST'
  | 'DISPOSED'
  | 'DTYPE'
  | 'DUPLICATE'
  | 'INVALID_ARGUMENT'
  | 'KERNEL'
  | 'MISSING_PEER'
  | 'NON_FINITE'
  | 'NOT_FOUND'
  | 'OUT_OF_MEMORY'
  | 'SAFETENSORS'
  | 'SHAPE'
  | 'SYNC_READ'
  | 'UNKNOWN_BACKEND'
  | 'VERSION_CONFLICT'
  | 'WGSL';

/** Where an error belongs, as far as it is known. */
export interface ErrorDetails {
  /** The op or function that was called. */
  op?: string;
  /** The argument that is at fault. */
  argument?: string;
  cause?: unknown;
}

/**
 * The error of all Evenkeel packages. Its message names the op or function, the argument, what was expected and what came.
 *
 * Two copies of a package have two classes: tell errors apart by `code`, not by `instanceof`.
 *
 * @example
 * try {
 *   layerNorm(x, gamma);
 * } catch (error) {
 *   if (isEvenkeelError(error, 'SHAPE')) console.log(error.argument); // 'gamma'
 * }
 */
export class EvenkeelError extends Error {
  override readonly name = 'EvenkeelError';
  readonly code: ErrorCode;
  readonly op: string | undefined;
  readonly argument: string | undefined;

  constructor(code: ErrorCode, message: string, { op, argument, cause }: ErrorDetails = {}) {
    super(op === undefined ? message : `${op}: ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.op = op;
    this.argument = argument;
  }
}

/** Whether `error` is an {@link EvenkeelError}, of any copy of this package; with `code`, whether it is of that code. */
export function isEvenkeelError(error: unknown, code?: ErrorCode): error is EvenkeelError {
  return error instanceof Error && error.name === 'EvenkeelError' && (code === undefined || (error as EvenkeelError).code === code);
}

/** A value as an error message shows it: short, and never the whole of a large array. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (Array.isArray(value)) return value.length > 8 ? `array of ${value.length}` : `[${value.map(show).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const { shape, dtype } = value as { shape?: unknown; dtype?: unknown };
    if (Array.isArray(shape)) return `${String(dtype)} tensor [${shape.join(', ')}]`;
    return value.constructor?.name ?? 'object';
  }
  return String(value);
}

/**
 * Throws INVALID_ARGUMENT unless `condition` holds.
 *
 * @example
 * expect(epsilon > 0, 'layerNorm', 'epsilon', 'a number > 0', epsilon);
 */
export function expect(
  condition: boolean,
  op: string,
  argument: string,
  expected: string,
  found: unknown,
  code: ErrorCode = 'INVALID_ARGUMENT',
): asserts condition {
  if (!condition) throw new EvenkeelError(code, `${argument} is ${show(found)}, expected ${expected}`, { op, argument });
}
