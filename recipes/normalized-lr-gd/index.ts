import { brief, defineRecipe, margin, type Results, type Verdict } from '../harness/index.ts';
import { ARMS, runExperiments, type Arm } from './experiments.ts';

/** The rule that figures have exactly these values, with every seed. */
function exact(results: Results, figure: string, wanted: Readonly<Record<string, number>>): Verdict {
  const found = Object.keys(wanted).map((arm) => results.values(arm, figure));
  return {
    rule: `${figure}: ${Object.entries(wanted)
      .map(([arm, value]) => `${arm} ${value}`)
      .join(', ')}, exactly`,
    held: Object.values(wanted).every((value, i) => found[i]!.length > 0 && found[i]!.every((each) => each === value)),
    found: found.map(([first = Number.NaN]) => brief(first)).join(', '),
  };
}

/** The rule that something holds with every seed. */
function inEach(results: Results, rule: string, holds: (seed: number) => boolean, found: (seed: number) => string): Verdict {
  const seeds = results.seeds.map((_, i) => i);
  return { rule: `${rule}, with every seed`, held: seeds.length > 0 && seeds.every(holds), found: seeds.map(found).join('; ') };
}

/** The rule that the geometric mean of the ratios is so large. */
function ratio(results: Results, figure: string, arm: string, other: string, least: number): Verdict {
  const [a, b] = [results.values(arm, figure), results.values(other, figure)];
  const mean = Math.exp(a.reduce((sum, value, i) => sum + Math.log(b[i]! / value), 0) / a.length);
  return { rule: `${figure}: geometric mean of ${other} / ${arm} at least ${least}`, held: mean >= least, found: brief(mean) };
}

/** The rule that the loss tells nothing: the larger step has the larger loss, and separates no later. */
function badGuide(results: Results, solver: string): Verdict {
  const [large, small] = [`${solver} 100`, `${solver} 0.1`];
  const at = (arm: string, figure: string, i: number): number => results.values(arm, figure)[i] ?? Number.NaN;
  const [loss, count] = ['largest loss on clothes', 'imbalanced clothes'];
  return inEach(
    results,
    `clothes: ${large} has a larger largest loss than ${small}, and no more iterations`,
    (i) => at(large, loss, i) > at(small, loss, i) && at(large, count, i) <= at(small, count, i),
    (i) => `${brief(at(large, loss, i))} > ${brief(at(small, loss, i))}, ${brief(at(large, count, i))} <= ${brief(at(small, count, i))}`,
  );
}

const bounded = (Object.keys(ARMS) as Arm[]).filter((arm) => arm !== 'gd 1000000');

export default defineRecipe({
  name: 'normalized-lr-gd',
  paper: {
    title: 'From Logistic Regression to the Perceptron Algorithm: Exploring Gradient Descent with Large Step Sizes',
    authors: 'A. Tyurin',
    year: 2024,
    id: 'arXiv:2412.08424',
  },
  claim:
    'Gradient descent on the logistic loss with a step that grows without bound is a batch perceptron, whose iterations to separate grow with the number of samples where classes are imbalanced. Dividing the step by the mean misclassification weight removes that: the larger the step, the fewer the iterations. On balanced classes it gains nothing.',
  measures:
    "Iterations from zero until every training sample is strictly on the right side, at most 5,000, in float64 on the host whatever the backend. Worst case: one sample (0.5, -1) against n - 1 samples (-0.5, -1), n = 1,000 unless said otherwise. Imbalanced clothes: 20 t-shirts against 980 trousers of Fashion-MNIST, 28 x 28 pixels from 0 to 1 and a constant feature, drawn anew with every seed. Imbalanced digits: 20 zeros against 980 ones of MNIST's first 20,000; balanced digits: 500 threes against 500 eights. The bound is the paper's (for gd ours, for it has none in closed form), with the largest margin found by 200 small steps after separation in the place of the largest that there is: never below the true bound. Difference from the batch perceptron: the largest over entries and steps of |theta / gamma - theta of the perceptron| on 60 normal samples of 8 features that a hyperplane separates, until one of the two is done. Numbers behind the names of arms are gamma.",
  arms: Object.keys(ARMS),
  seeds: [1, 2, 3, 4, 5],
  run: (context) => runExperiments(context.arm as Arm, context),
  passes: (results) => [
    exact(results, 'worst case 1000', {
      'normalized-gd 100': 2,
      'normalized-gd 10': 2,
      'normalized-gd 1': 16,
      'normalized-gd 0.1': 157,
      'gd 100': 308,
      'batch-perceptron': 301,
    }),
    exact(results, 'worst case 10', { 'batch-perceptron': 4, 'normalized-gd 100': 2 }),
    exact(results, 'worst case 40', { 'batch-perceptron': 13, 'normalized-gd 100': 2 }),
    exact(results, 'worst case 100', { 'batch-perceptron': 31, 'normalized-gd 100': 2 }),
    margin(results, 'imbalanced clothes', 'normalized-gd 100', '<', 'gd 100', { each: true }),
    ratio(results, 'imbalanced clothes', 'normalized-gd 100', 'gd 100', 2),
    margin(results, 'imbalanced digits', 'normalized-gd 100', '<', 'gd 100', { each: true }),
    badGuide(results, 'normalized-gd'),
    badGuide(results, 'gd'),
    margin(results, 'balanced digits', 'normalized-gd 100', '>', 'gd 100'),
    ...bounded.map((arm) =>
      inEach(
        results,
        `clothes: ${arm} needs no more iterations than its bound, or does not separate in 5,000`,
        (i) => (results.values(arm, 'imbalanced clothes')[i] ?? Number.NaN) <= (results.values(arm, 'bound on clothes')[i] ?? Number.NaN),
        (i) => `${brief(results.values(arm, 'imbalanced clothes')[i]!)} <= ${brief(results.values(arm, 'bound on clothes')[i]!)}`,
      ),
    ),
    inEach(
      results,
      'the difference from the batch perceptron at gamma = 1,000,000 is at most 2e-5',
      (i) => (results.values('gd 1000000', 'difference from the batch perceptron')[i] ?? Number.NaN) <= 2e-5,
      (i) => brief(results.values('gd 1000000', 'difference from the batch perceptron')[i] ?? Number.NaN),
    ),
  ],
});
