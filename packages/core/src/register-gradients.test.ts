import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import './register-gradients.node.ts';

test('all of tfjs, as many as it has', () => {
  const folder = createRequire(import.meta.url)
    .resolve('@tensorflow/tfjs-core/dist/gradients/Add_grad.js')
    .replace(/Add_grad\.js$/, '');
  const files = readdirSync(folder).filter((name) => name.endsWith('_grad.js'));
  const constants = files.flatMap((name) => /kernelName: (\w+)/.exec(readFileSync(join(folder, name), 'utf8'))?.[1] ?? []);
  expect(constants.length).toBeGreaterThan(90);
  const missing = constants.filter((constant) => !tf.getGradient((tf as unknown as Record<string, string>)[constant]!));
  expect(missing).toEqual([]);
});
