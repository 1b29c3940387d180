import { brief, defineRecipe, margin, type Figures, type Results, type RunContext, type Verdict } from '../harness/index.ts';
import { NETWORKS, PARTS, runNetwork, type NetworkName } from './network.ts';

const networks = Object.keys(NETWORKS) as NetworkName[];

/** Arms by name. */
const arms = new Map<string, (context: RunContext) => Promise<Figures>>();
for (const network of networks) {
  for (const part of PARTS) arms.set(`${network}/${part}`, (context) => runNetwork(network, part, context));
}

const LEAD = 15;
const TIMES = 1.4;
const SHARE = 'gammas below 0.05, percent';

/** Norms alone are ahead of as many random weights with every seed. */
function aheadOfRandom(results: Results, network: NetworkName): Verdict {
  const [norms, random] = ['norms', 'random'].map((part) => results.values(`${network}/${part}`, 'accuracy')) as [number[], number[]];
  const leads = norms.map((value, i) => value - random[i]!);
  return {
    rule: `accuracy: ${network}/norms > ${network}/random by at least ${LEAD} with every seed`,
    held: leads.length > 0 && leads.every((lead) => lead >= LEAD),
    found: `ahead by ${leads.map(brief).join(', ')}`,
  };
}

/** Norms alone switch more features off than training everything does, on the mean of all networks. */
function sparser(results: Results): Verdict {
  const [norms, all] = ['norms', 'all'].map((part) => {
    const shares = networks.map((network) => results.mean(`${network}/${part}`, SHARE));
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }) as [number, number];
  return {
    rule: `${SHARE}, mean of the networks: norms at least ${TIMES} times all`,
    held: norms >= TIMES * all,
    found: `${brief(norms)} against ${brief(all)}`,
  };
}

export default defineRecipe({
  name: 'bn-only-training',
  paper: {
    title: 'Training BatchNorm and Only BatchNorm: On the Expressive Power of Random Features in CNNs',
    authors: 'J. Frankle, D. J. Schwab, A. S. Morcos',
    year: 2021,
    id: 'arXiv:2003.00152',
  },
  claim:
    "Residual networks whose weights stay as they were drawn reach a high accuracy when only batch norm's gammas and betas train: far more than by training as many of the random weights, more with depth than with width, and by switching features off.",
  measures:
    'Accuracy in percent on 1,000 held-out digits of MNIST at 14x14 (standardized), in inference mode, of residual networks (3x3 convolutions, batch norm as PyTorch has it; segments of W, 2W, 4W channels, the last two with stride 2 and a 1x1 convolution for a shortcut; kernels of variance 2 / inputs, gamma U(0, 1)): ResNet-8 and ResNet-20 of width 8, ResNet-8 of width 16 (wide). Trained on 6,000 digits for 300 steps of 64 by SGD with momentum 0.9, weight decay 1e-4 (0 for random) and a rate of 0.1, a tenth from 60 % and a hundredth from 85 % of the steps. What trains: all; gammas and betas of the norms; the last layer (output); two weights of each output channel of every convolution, chosen at random, as many as the norms have (random). `trained` counts the numbers that train. The shares of gammas near 0 are of the same networks afterwards. Initial weights and the order of digits are the same for all arms of a network that share a seed.',
  arms: [...arms.keys()],
  seeds: [1, 2, 3],
  run: (context) => arms.get(context.arm)!(context),
  passes: (results) => [
    ...networks.map((network) => aheadOfRandom(results, network)),
    margin(results, 'accuracy', 'resnet-20/norms', '>', 'resnet-20/output', { by: 20 }),
    margin(results, 'accuracy', 'resnet-20/norms', '>', 'resnet-8/norms', { by: 8 }),
    margin(results, 'accuracy', 'resnet-20/norms', '>', 'resnet-8-wide/norms', { by: 3 }),
    sparser(results),
  ],
});
