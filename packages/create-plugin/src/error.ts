/** Why a package is not written: a name that does not do, a folder that is taken. Nothing has been written then. */
export class CreateError extends Error {
  override readonly name = 'CreateError';
}
