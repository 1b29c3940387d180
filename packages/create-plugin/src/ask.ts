import type { Readable, Writable } from 'node:stream';
import { cancel, isCancel, select, text } from '@clack/prompts';
import { CreateError } from './error.ts';
import { namesOf } from './names.ts';
import { variants, type Variant } from './variants.ts';

/** Where questions and answers go; by default the terminal. */
interface Terminal {
  readonly input?: Readable;
  readonly output?: Writable;
}

interface Answers {
  readonly name: string;
  readonly variant: Variant;
}

/** What is missing, asked for; undefined where the asked one has had enough. */
export async function ask(
  given: { readonly name: string | undefined; readonly variant: Variant | undefined },
  terminal: Terminal = {},
): Promise<Answers | undefined> {
  const variant =
    given.variant ??
    (await select({
      message: 'What does the plugin begin with?',
      options: Object.entries(variants).map(([value, hint]) => ({ value: value as Variant, label: value, hint })),
      ...terminal,
    }));
  if (isCancel(variant)) return stop(terminal);
  const name =
    given.name ??
    (await text({
      message: 'What is it called?',
      placeholder: 'my-norm',
      validate: (value) => complaint(value ?? '', variant),
      ...terminal,
    }));
  return isCancel(name) ? stop(terminal) : { name, variant };
}

/** What is wrong with a name, if anything. */
function complaint(name: string, variant: Variant): string | undefined {
  try {
    namesOf(name, variant);
    return undefined;
  } catch (error) {
    if (error instanceof CreateError) return error.message;
    throw error;
  }
}

function stop({ output }: Terminal): undefined {
  cancel('Nothing was written.', output && { output });
}
