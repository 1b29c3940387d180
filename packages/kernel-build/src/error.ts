/** What is wrong with a kernel's source, or with how the build was called. `file` is the source, where there is one. */
export class KernelBuildError extends Error {
  override readonly name = 'KernelBuildError';
  readonly file: string | undefined;

  constructor(message: string, file?: string) {
    super(file === undefined ? message : `${file}: ${message}`);
    this.file = file;
  }
}
