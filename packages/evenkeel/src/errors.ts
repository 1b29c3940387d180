import type { EvenkeelError } from '@evenkeel/core';

/** As core's function of that name: without loading core, which needs TensorFlow.js, where only help is wanted. */
export function isEvenkeelError(error: unknown): error is EvenkeelError {
  return error instanceof Error && error.name === 'EvenkeelError';
}

/** A package that is not installed, by the message of Node's module loader. */
function missingPackage(error: Error): string | undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  return /Cannot find package '([^']+)'/.exec(error.message)?.[1];
}

/** An error for people: message and what to do; the stack only where it is a defect of ours. */
export function describeError(error: unknown): string {
  if (isEvenkeelError(error)) return error.message;
  if (!(error instanceof Error)) return String(error);
  const missing = missingPackage(error);
  return missing === undefined ? (error.stack ?? error.message) : `the package ${missing} is not installed; npm install ${missing}`;
}
