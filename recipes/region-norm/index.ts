import { defineRecipe, margin, type Figures, type Results, type RunContext, type Verdict } from '../harness/index.ts';
import { classify, SIDES } from './classifier.ts';
import { runInpainting, SCHEMES } from './inpainting.ts';
import { measureShift, RATIOS } from './shift.ts';

/** What the rules are about: the same weights, normalized over all pixels or by region. */
const OVER_ALL = 'over-all-pixels';
const BY_REGION = 'by-region';

const arms = new Map<string, (context: RunContext) => Promise<Figures>>();
for (const arm of [OVER_ALL, BY_REGION]) {
  arms.set(arm, async (context) => ({
    ...(await measureShift(arm === BY_REGION, context.seed)),
    ...(await classify(arm === BY_REGION, context)),
  }));
}
for (const [name, scheme] of Object.entries(SCHEMES)) arms.set(`inpainting/${name}`, (context) => runInpainting(scheme, context));

const shifts = (results: Results, arm: string): number[] => RATIOS.map((percent) => results.mean(arm, `mean shift at ${percent}%`));

function grows(results: Results): Verdict {
  const found = shifts(results, OVER_ALL);
  return {
    rule: `mean shift ${OVER_ALL}: grows with the hole, and is above 0.1 at 40%`,
    held: found[0]! < found[1]! && found[1]! < found[2]! && found[2]! > 0.1,
    found: found.map((value) => value.toFixed(3)).join(', '),
  };
}

function stays(results: Results): Verdict {
  const most = Math.max(...shifts(results, BY_REGION));
  const off = results.mean(BY_REGION, 'variance off by');
  return {
    rule: `mean shift ${BY_REGION}: below 1e-4, variances 1 to 1e-3`,
    held: most < 1e-4 && off < 1e-3,
    found: `${most.toExponential(1)}, ${off.toExponential(1)}`,
  };
}

export default defineRecipe({
  name: 'region-norm',
  paper: {
    title: 'Region Normalization for Image Inpainting',
    authors: 'T. Yu, Z. Guo, X. Jin, S. Wu, Z. Chen, W. Li, Z. Zhang, S. Liu',
    year: 2020,
    id: 'arXiv:1911.10375',
  },
  claim:
    'Normalization over all pixels lets the hole of a picture shift mean and variance of the rest; normalizing hole and rest by themselves does not, and inpainting networks get better by it.',
  measures:
    'Mean shift: root mean square, over 16 channels of a random 3x3 convolution of a photograph whose middle is filled with 1, of the means of valid pixels after normalization. Accuracy in percent on 1,000 held-out pictures of Fashion-MNIST at 14x14 with a square hole of side 4, 6 or 8 somewhere, filled with the largest value of the picture, of a network (3x3 convolutions to 8, 16 with stride 2, and 16 channels, each with instance normalization, gain and shift, and ReLU; dense) trained on 4,000 pictures without holes (Adam 3e-3, 250 steps of 32); the weights of both arms are the same, and nothing is trained again. Feature shift: root mean square of the change of the first normalized features on pixels 2 or more away from a hole of side 6. Inpainting, for which there is no rule (the paper trains for ten epochs of Places2 at 256x256): PSNR in dB of patches of 24x24 of a photograph with a rectangular hole of side 8 to 14, of a generator of width 12 with two residual blocks, trained on patches of two others by L1 loss alone (Adam, 2e-3 falling to 0, 200 steps of 8).',
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    grows(results),
    stays(results),
    ...SIDES.map((side) => margin(results, `accuracy at ${side}`, BY_REGION, '>', OVER_ALL, { each: true, ...(side === 6 && { by: 5 }) })),
    margin(results, 'feature shift', BY_REGION, '<', OVER_ALL, { ratio: 0.75 }),
  ],
});
