import { brief, defineRecipe, margin, noWorse, type Results, type Verdict } from '../harness/index.ts';
import { runNetwork, type Arm } from './network.ts';

const DECAYS = [5e-4, 3e-3];
const decayed = (name: string, decay: number): string => `${name}, decay ${decay}`;

/** Arms by name. */
const arms = new Map<string, Arm>();
for (const decay of DECAYS) {
  arms.set(decayed('plain', decay), { decay, companded: false });
  arms.set(decayed('compander', decay), { decay, companded: true });
}

const LARGEST = 'largest, deviations';
const BELOW = 2;
const ABOVE = 4;

/** The largest weight is near the others with a compander, and far from them without. */
function bounded(results: Results, decay: number): Verdict {
  const [compander, plain] = ['compander', 'plain'].map((name) => results.mean(decayed(name, decay), LARGEST)) as [number, number];
  return {
    rule: `${LARGEST}, decay ${decay}: compander below ${BELOW}, plain above ${ABOVE}`,
    held: compander < BELOW && plain > ABOVE,
    found: `${brief(compander)} against ${brief(plain)}`,
  };
}

export default defineRecipe({
  name: 'weight-compander',
  paper: {
    title: 'Weight Compander: A Simple Weight Reparameterization for Regularization',
    authors: 'R. Cakaj, J. Mehnert, B. Yang',
    year: 2023,
    id: 'arXiv:2306.16993',
  },
  claim:
    'Weights that are a bounded function, steep at zero, of what is trained make a network generalize better, on top of other regularizers such as weight decay: they spread over more of their range, none is large and few stay near zero.',
  measures:
    "Error in percent and cross-entropy (loss) on 8,000 other pictures of Fashion-MNIST at 14x14 (pixels standardized over the 5,000 that seeds draw from) of a perceptron 196-256-256-10 with ReLU, trained on 1,000 pictures for 40 epochs of batches of 50 by SGD with momentum 0.9 and a rate of 0.05 that falls to 0 by a cosine, weight decay 5e-4 or 3e-3 on kernels (companded: on what is trained). Kernels begin normal with variance 2 / inputs; companded ones as w = a atan(v / b) with a of 0.8 deviations, b of 0.4, both fixed. Of the kernels afterwards, mean of the three: the share of weights below a tenth of the kernel's deviation, the largest weight in deviations, the kurtosis; and what accuracy rounding each kernel to 3 bits between its extremes costs. Pictures, first weights and order are the same for all arms of a seed. The rules do not claim less error: differences of a few tenths of a percent would want more seeds.",
  arms: [...arms.keys()],
  seeds: [1, 2, 3, 4, 5],
  run: (context) => runNetwork(arms.get(context.arm)!, context),
  passes: (results) =>
    DECAYS.flatMap((decay) => {
      const [compander, plain] = [decayed('compander', decay), decayed('plain', decay)];
      return [
        margin(results, 'loss', compander, '<', plain, { by: 0.03, each: true }),
        margin(results, 'near zero, percent', compander, '<', plain, { ratio: 0.5 }),
        bounded(results, decay),
        noWorse(results, 'error', compander, plain, 0.2),
      ];
    }),
});
