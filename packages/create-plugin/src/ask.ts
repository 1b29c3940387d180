import { cancel, isCancel, select, text } from '@clack/prompts';
import { CreateError } from './error.ts';
import { namesOf } from './names.ts';
import { variants, type Variant } from './variants.ts';

/** What is missing, asked for; undefined where the asked one has had enough. */
export async function ask(given: {
  name: string | undefined;
  variant: Variant | undefined;
}): Promise<{ name: string; variant: Variant } | undefined> {
  const variant =
    given.variant ??
    (await select({
      message: 'What does the plugin begin with?',
      options: Object.entries(variants).map(([value, hint]) => ({ value: value as Variant, label: value, hint })),
    }));
  if (isCancel(variant)) return stop();
  const name =
    given.name ??
    (await text({
      message: 'What is it called?',
      placeholder: 'my-norm',
      validate: (value) => complaint(value ?? '', variant),
    }));
  return isCancel(name) ? stop() : { name, variant };
}

function complaint(name: string, variant: Variant): string | undefined {
  try {
    namesOf(name, variant);
    return undefined;
  } catch (error) {
    if (error instanceof CreateError) return error.message;
    throw error;
  }
}

function stop(): undefined {
  cancel('Nothing was written.');
}
