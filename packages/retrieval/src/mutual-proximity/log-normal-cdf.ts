import { abs, add, div, exp, greater, log, log1p, mul, neg, reciprocal, sub, where, type Tensor } from '@tensorflow/tfjs-core';

/** Polynomial in t = 1 / (1 + x / 2) of log erfc(x) + x^2 - log t, x >= 0: relative error of erfc below 1.2e-7 (Press et al., Numerical Recipes, 6.2). */
const COEFFICIENTS = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
];

/** log erfc(x) for x >= 0, also where erfc(x) itself is 0 in float32. */
function logErfc(x: Tensor): Tensor {
  const t = reciprocal(add(1, mul(x, 0.5)));
  let p: Tensor = mul(t, COEFFICIENTS.at(-1)!);
  for (let i = COEFFICIENTS.length - 2; i > 0; i--) p = mul(t, add(p, COEFFICIENTS[i]!));
  return add(sub(log(t), mul(x, x)), add(p, COEFFICIENTS[0]!));
}

/** log of the normal distribution function, finite far out in both tails. */
export function logNormalCdf(z: Tensor): Tensor {
  const below = sub(logErfc(div(abs(z), Math.SQRT2)), Math.LN2);
  return where(greater(z, 0), log1p(neg(exp(below))), below);
}
