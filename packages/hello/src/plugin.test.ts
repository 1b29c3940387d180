import { listed } from '../test/backends.ts';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import { checkPlugin } from '@evenkeel/core/testing';
import { expect, test } from 'vitest';
import { checks } from './checks.ts';
import { hello } from './plugin.ts';

test('the plugin', async () => {
  const report = await checkPlugin(hello, { ...checks, ...listed, tfjsLayers });
  expect(report.notCovered.filter((open) => !open.startsWith('HelloNormGrad'))).toEqual([]);
});
