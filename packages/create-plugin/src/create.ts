import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CreateError } from './error.ts';
import { manifestOf } from './manifest.ts';
import { namesOf, renamed, type Names } from './names.ts';
import { template } from './template.generated.js';
import { isVariant, variants, type Variant } from './variants.ts';

export interface CreateOptions {
  /** `my-norm`, `@me/my-norm`, or the package's whole name. */
  readonly name: string;
  /** What it begins with. Default `op`. */
  readonly variant?: Variant;
  /** Where its folder is made. Default: the current folder. */
  readonly within?: string;
}

export interface Created {
  readonly folder: string;
  readonly names: Names;
  /** What was written, relative to the folder. */
  readonly files: readonly string[];
}

/** Throws where a folder cannot be made, or holds something. */
export function checkFolder(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory()) throw new CreateError(`${folder} is there and is no folder`);
  if (readdirSync(folder).length > 0) throw new CreateError(`${folder} is not empty`);
}

/**
 * Writes the package of a plugin into a new folder, called by its name. Nothing is fetched, and nothing is installed.
 *
 * @throws CreateError for a name that does not do, an unknown variant, and a folder that holds something; nothing is written then
 *
 * @example
 * const { folder, files } = createPlugin({ name: 'my-norm', variant: 'op' });
 */
export function createPlugin({ name, variant = 'op', within = process.cwd() }: CreateOptions): Created {
  if (!isVariant(variant)) throw new CreateError(`variant is '${String(variant)}', expected one of ${Object.keys(variants).join(', ')}`);
  const names = namesOf(name, variant);
  if (!existsSync(within)) throw new CreateError(`${within} is not there`);
  const folder = join(within, names.stem);
  checkFolder(folder);
  const texts = new Map<string, string>([['package.json', `${JSON.stringify(manifestOf(names, variant), undefined, 2)}\n`]]);
  for (const [file, text] of Object.entries(template.variants[variant])) texts.set(renamed(file, names), renamed(text, names));
  for (const [file, text] of texts) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return { folder, names, files: [...texts.keys()].sort() };
}
