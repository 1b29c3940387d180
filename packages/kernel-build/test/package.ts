import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A package in a folder of its own. */
export interface TestPackage {
  readonly folder: string;
  write(file: string, text: string): void;
  read(file: string): string;
  remove(): void;
}

/** Doubles `count` float32. Its step stands in a file that it imports. */
export const doubling: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "doubling", "version": "1.2.3", "type": "module" }',
  'src/_step.as.ts': 'export function step(x: f32): f32 {\n  return x * 2;\n}\n',
  'src/double.as.ts': `import { step } from './_step.as';

export function forward(x: usize, y: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) store<f32>(y + (i << 2), step(load<f32>(x + (i << 2))));
}
`,
  'src/deep/double.wgsl': '@group(0) @binding(0) var<storage, read> x: array<f32>; // `quoted` ${kept}\n',
};

export function testPackage(files: Readonly<Record<string, string>>): TestPackage {
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  return {
    folder,
    write,
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The default export of a generated module. */
export function exported(text: string): string {
  const [, literal] = /^export default (.*);$/m.exec(text)!;
  return literal!.startsWith('"') ? (JSON.parse(literal!) as string) : literal!.slice(1, -1);
}
