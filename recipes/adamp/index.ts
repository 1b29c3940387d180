import { brief, defineRecipe, margin, noWorse, type Figures, type Results, type RunContext, type Verdict } from '../harness/index.ts';
import { KERNELS, runNetwork } from './network.ts';
import { runSphere } from './sphere.ts';

/** Arms by name. */
const arms = new Map<string, (context: RunContext) => Promise<Figures>>([
  ['sphere/sgd', (context) => runSphere('sgd', context)],
  ['sphere/sgdp', (context) => runSphere('sgdp', context)],
  ['sgd', (context) => runNetwork('sgd', context)],
  ['sgdp', (context) => runNetwork('sgdp', context)],
  ['adam', (context) => runNetwork('adam', context)],
  ['adamw', (context) => runNetwork('adamw', context)],
  ['adamp', (context) => runNetwork('adamp', context)],
]);

/** The rule that a figure keeps to a bound with every seed. */
function bound(results: Results, figure: string, arm: string, relation: '<' | '>', limit: number): Verdict {
  const values = results.values(arm, figure);
  const held = values.length > 0 && values.every((value) => (relation === '<' ? value < limit : value > limit));
  return { rule: `${figure}: ${arm} ${relation} ${limit} with every seed`, held, found: values.map(brief).join(', ') };
}

/** The rule that a figure of one arm is so many times that of another with every seed. */
function times(results: Results, figure: string, arm: string, factor: number, other: string): Verdict {
  const ratios = results.values(arm, figure).map((value, i) => value / results.values(other, figure)[i]!);
  return {
    rule: `${figure}: ${arm} at least ${factor} times ${other} with every seed`,
    held: ratios.length > 0 && ratios.every((ratio) => ratio >= factor),
    found: ratios.map(brief).join(', '),
  };
}

const growths = KERNELS.map((_, i) => `growth of kernel ${i + 1}`);

export default defineRecipe({
  name: 'adamp',
  paper: {
    title: 'AdamP: Slowing Down the Slowdown for Momentum Optimizers on Scale-invariant Weights',
    authors: 'B. Heo, S. Chun, S. J. Oh, D. Han, S. Yun, G. Kim, Y. Uh, J.-W. Ha',
    year: 2021,
    id: 'arXiv:2006.08217',
  },
  claim:
    'Momentum makes weights before a norm longer, and their effective steps shorter, than they would be; without the radial part of each step they are not, and networks are as good or better.',
  measures:
    'Sphere: -cos(w, target) in 1,024 dimensions from |w| = 1, 300 steps at rate 0.1 and momentum 0.9; how much |w|^2 grows, and the loss. SGDP projects at every step. Network: Fashion-MNIST at 14x14 (pixels standardized), 10,000 pictures to train on and 5,000 to test with, 3x3 convolutions to 16, 32 (stride 2) and 32 channels without bias, each with batch norm and ReLU, global average, dense; batches of 64, 4 epochs, rates that fall along a cosine to 0. SGD and SGDP: rate 0.1, momentum 0.9, weight decay 1e-4, for SGD the equal decoupled decay of 1e-3. Adam, AdamW and AdamP: rate 1e-2, decay 1e-2, none for Adam. Growth: final over initial norm of a kernel. Angular step: the mean angle in radians between the second kernel before and after a step, over the middle tenth of the steps. Accuracy in percent, in inference mode. Initial weights, uniform in +-1 / sqrt(inputs), and the order of the pictures are the same for all arms that share a seed.',
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    times(results, 'growth', 'sphere/sgd', 10, 'sphere/sgdp'),
    bound(results, 'loss', 'sphere/sgd', '<', -0.999),
    bound(results, 'loss', 'sphere/sgdp', '<', -0.999),
    ...growths.flatMap((growth) => [bound(results, growth, 'sgdp', '<', 1.3), bound(results, growth, 'sgd', '>', 1.7)]),
    times(results, 'angular step', 'sgdp', 1.8, 'sgd'),
    noWorse(results, 'accuracy', 'sgd', 'sgdp', 1),
    noWorse(results, 'accuracy', 'adamw', 'adamp', 0),
    ...growths.map((growth) => margin(results, growth, 'adamp', '<', 'adamw', { each: true })),
  ],
});
