import { isEvenkeelError, type EvenkeelError } from '../src/index.ts';

/** The EvenkeelError that `action` throws. */
export function failure(action: () => unknown): EvenkeelError {
  try {
    action();
  } catch (error) {
    if (isEvenkeelError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The EvenkeelError that `action` rejects with. */
export async function rejection(action: Promise<unknown>): Promise<EvenkeelError> {
  try {
    await action;
  } catch (error) {
    if (isEvenkeelError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
