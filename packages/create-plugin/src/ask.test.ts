import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ask } from './ask.ts';
import type { Variant } from './index.ts';

const ENTER = '\r';
const DOWN = '\u001B[B';
const CONTROL_C = '\u0003';

/** Asks somebody who types these keys, each group once its question has been put; resolves to the answers and what was shown. */
async function answered(
  given: { name?: string; variant?: Variant },
  ...keys: (readonly [question: string, typed: string])[]
): Promise<{ answers: Awaited<ReturnType<typeof ask>>; shown: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = '';
  let seen = 0;
  output.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const [question, typed] = keys[0] ?? [];
    if (question === undefined || !shown.slice(seen).includes(question)) return;
    seen = shown.length;
    keys.shift();
    setImmediate(() => input.write(typed));
  });
  const answers = await ask({ name: given.name, variant: given.variant }, { input, output });
  return { answers, shown };
}

describe('ask', () => {
  test('asks for what is missing', async () => {
    const { answers, shown } = await answered(
      {},
      ['What does the plugin begin with?', DOWN + DOWN + ENTER],
      ['What is it called?', `my-adam${ENTER}`],
    );
    expect(answers).toEqual({ variant: 'optimizer', name: 'my-adam' });
    expect(shown).toContain('an optimizer');
  });

  test('and for nothing else', async () => {
    expect((await answered({ variant: 'layer' }, ['What is it called?', `my-norm${ENTER}`])).answers).toEqual({
      variant: 'layer',
      name: 'my-norm',
    });
    expect((await answered({ name: 'my-norm' }, ['What does the plugin begin with?', ENTER])).answers).toEqual({
      variant: 'op',
      name: 'my-norm',
    });
  });

  test('says what is wrong with a name, and takes a better one', async () => {
    const { answers } = await answered(
      { variant: 'op' },
      ['What is it called?', `mean${ENTER}`],
      ["'mean' is a word of the language", `-norm${ENTER}`],
    );
    expect(answers).toEqual({ variant: 'op', name: 'mean-norm' });
  });

  test('may be left', async () => {
    const { answers, shown } = await answered({}, ['What does the plugin begin with?', CONTROL_C]);
    expect(answers).toBeUndefined();
    expect(shown).toContain('Nothing was written.');
  });
});
