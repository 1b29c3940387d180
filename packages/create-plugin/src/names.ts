import { CreateError } from './error.ts';
import { template } from './template.generated.js';
import type { Variant } from './variants.ts';

/** What a plugin, its folder and its parts are called. */
export interface Names {
  /** `my-norm`: the folder, and the names of files. */
  readonly stem: string;
  /** `evenkeel-plugin-my-norm`, with its scope if there is one: also the namespace of its ops. */
  readonly packageName: string;
  /** `MyNorm`: the op. */
  readonly op: string;
  /** `myNorm`: its function. */
  readonly function: string;
  /** `MyNormalization`: the layer. */
  readonly layer: string;
  readonly optimizer: string;
}

const PREFIX = 'evenkeel-plugin-';
const MAXIMUM = 214;

/** Words that no function can be called by. */
const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static super switch this ' +
    'throw true try typeof undefined var void while with yield'
  ).split(' '),
);

function wordsOf(variant: Variant): Set<string> {
  const words = new Set<string>();
  for (const [file, text] of Object.entries(template.variants[variant])) {
    if (/\.(ts|wgsl)$/.test(file)) for (const [word] of text.matchAll(/[A-Za-z_]\w*/g)) words.add(word);
  }
  return words;
}

/**
 * The names that follow from the one that is given: `my-norm`, or `@me/my-norm`, or the package's whole name.
 *
 * @throws CreateError where no package, folder or function can be called so, or the scope is not for plugins of others
 *
 * @example
 * namesOf('@me/my-norm', 'op').packageName; // @me/evenkeel-plugin-my-norm
 */
export function namesOf(given: string, variant: Variant): Names {
  const [, scope = '', name] = /^(@[^/]*\/)?(.*)$/s.exec(given)!;
  const stem = name!.startsWith(PREFIX) ? name!.slice(PREFIX.length) : name!;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(stem)) {
    throw new CreateError(`the name is '${given}', expected small letters, digits and single hyphens, such as my-norm or @me/my-norm`);
  }
  if (scope !== '' && !/^@[a-z0-9][a-z0-9._-]*\/$/.test(scope)) {
    throw new CreateError(`the scope is '${scope.slice(0, -1)}', expected one of npm's, such as @me`);
  }
  if (scope === '@evenkeel/') throw new CreateError("the scope @evenkeel is Evenkeel's own; take one of yours, or none");
  const packageName = `${scope}${PREFIX}${stem}`;
  if (packageName.length > MAXIMUM) throw new CreateError(`${packageName} has ${packageName.length} characters, npm takes ${MAXIMUM}`);

  const op = stem.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const functionName = op[0]!.toLowerCase() + op.slice(1);
  const words = wordsOf(variant);
  const taken = [functionName, op].find((word) => reserved.has(word) || words.has(word));
  if (taken !== undefined) {
    throw new CreateError(
      `'${taken}' is a word of the language or of the code that would be written; take a longer name, such as ${stem}-norm`,
    );
  }
  return {
    stem,
    packageName,
    op,
    function: functionName,
    layer: op.endsWith('Norm') ? `${op}alization` : `${op}Layer`,
    optimizer: op.endsWith('Optimizer') ? op : `${op}Optimizer`,
  };
}

/** A text of the template under these names. */
export function renamed(text: string, { stem, packageName, op, function: functionName, layer, optimizer }: Names): string {
  return text
    .replaceAll('@evenkeel/hello', packageName)
    .replaceAll('HelloNormalization', layer)
    .replaceAll('HelloOptimizer', optimizer)
    .replaceAll('HelloNorm', op)
    .replaceAll('helloNorm', functionName)
    .replaceAll('hello-norm', stem)
    .replaceAll('helloKernels', `${functionName}Kernels`)
    .replaceAll('hello-kernel', stem)
    .replaceAll(/\bhello\b/g, `${functionName}Plugin`);
}
