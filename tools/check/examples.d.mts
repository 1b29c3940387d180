export function promises(code: string): string[];
export function runExamples(
  files: string[],
  folder: string,
  options: { executablePath: string | undefined; webgpu: boolean },
): Promise<string>;
