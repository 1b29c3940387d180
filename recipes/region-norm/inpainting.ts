// Training a small generator on patches of photographs, and what its pictures are worth on another photograph.
import { abs, dispose, div, mean, sub, tensor, train as optimizers, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import type { Figures, RunContext } from '../harness/index.ts';
import { pause, step } from '../layer-norm/training.ts';
import { buildInpaintingGenerator, inpaint, type GeneratorOptions } from './generator.ts';
import { cutPatches, PATCH, readPicture, type Patches } from './pictures.ts';

export const SCHEMES: Readonly<Record<string, GeneratorOptions>> = {
  'instance-norm': { encoder: 'instance', later: 'instance' },
  'rn-b-instance-norm': { encoder: 'rn-b', later: 'instance', statistics: 'batch' },
  'rn-b-rn-l': { encoder: 'rn-b', later: 'rn-l', statistics: 'batch' },
  'rn-b-per-region-instance-norm': { encoder: 'rn-b', later: 'instance', statistics: 'instance', affineMode: 'perRegion' },
};

const WIDTH = 12;
const BLOCKS = 2;
const STEPS = 200;
const BATCH = 8;
const LEARNING_RATE = 2e-3;
const TESTED_ON = 64;

function tensorsOf({ pictures, masks }: Patches): { picture: Tensor; mask: Tensor } {
  return {
    picture: tensor(pictures, [masks.length / PATCH ** 2, PATCH, PATCH, 3]),
    mask: tensor(masks, [masks.length / PATCH ** 2, PATCH, PATCH, 1]),
  };
}

/** Trains; resolves to the peak signal-to-noise ratio of whole patches of another photograph, in dB. */
export async function runInpainting(scheme: GeneratorOptions, context: RunContext): Promise<Figures> {
  const { seed, scale } = context;
  const photographs = await Promise.all(['astronaut', 'chelsea'].map(readPicture));
  const numbers = random(seed).stream('patches');
  const steps = Math.max(1, Math.round(STEPS * scale));
  const generator = buildInpaintingGenerator({ ...scheme, width: WIDTH, blocks: BLOCKS, seed });
  const optimizer = optimizers.adam(LEARNING_RATE);
  try {
    for (let done = 0; done < steps; done++) {
      // Adam has no setter.
      (optimizer as unknown as { learningRate: number }).learningRate = LEARNING_RATE * (1 - done / steps);
      const patches = cutPatches(photographs, BATCH, numbers);
      const loss = await step(optimizer, generator.weights, () => {
        const { picture, mask } = tensorsOf(patches);
        return div(mean(abs(sub(inpaint(generator, picture, mask), picture))), mean(mask)) as Scalar;
      });
      await pause(context, done + 1, steps, loss);
    }
    const test = cutPatches([await readPicture('coffee')], TESTED_ON, random(seed).stream('test'));
    const { picture, mask } = tensorsOf(test);
    const painted = inpaint(generator, picture, mask);
    const values = (await painted.data()) as Float32Array;
    dispose([picture, mask, painted]);
    const error = values.reduce((sum, value, i) => sum + (value - test.pictures[i]!) ** 2, 0) / values.length;
    return { PSNR: -10 * Math.log10(error) };
  } finally {
    optimizer.dispose();
    generator.dispose();
  }
}
