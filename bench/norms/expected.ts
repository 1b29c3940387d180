import { EPSILON, NUM_GROUPS, parametersOf, TWINS, type Case } from './cases.ts';

/** For each element, the number of the statistic it belongs to; and how many elements share one. */
function statistics({ op, shape }: Case): { count: number; members: number; of: (index: number) => number } {
  const channels = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
  if (op === 'batchNorm' || op === 'l1BatchNorm') return { count: channels, members: rows, of: (index) => index % channels };
  if (op === 'groupNorm') {
    const samples = shape[0]!;
    const perSample = (rows / samples) * channels;
    const perGroup = channels / NUM_GROUPS;
    return {
      count: samples * NUM_GROUPS,
      members: perSample / NUM_GROUPS,
      of: (index) => Math.floor(index / perSample) * NUM_GROUPS + Math.floor((index % channels) / perGroup),
    };
  }
  return { count: rows, members: channels, of: (index) => Math.floor(index / channels) };
}

/**
 * What every arm must find, by the formulas, in double precision:
 * y = gamma xhat + beta, or dx = r (g - mean(g) - xhat mean(g xhat)) with g = dy gamma, dgamma = sum of dy xhat, dbeta = sum of dy.
 * By the mean absolute deviation it is s - mean(s) in place of the second xhat, with s = sign(x - mean).
 */
export function expected(which: Case): Record<string, Float64Array> {
  const { op, pass, data, shape } = which;
  const { x, gamma, beta, dy } = data;
  const n = x.length;
  const channels = shape.at(-1)!;
  const { count, members, of } = statistics(which);
  const centre = op !== 'rmsNorm';
  const absolute = TWINS[op] !== undefined;

  const mean = new Float64Array(count);
  if (centre) for (let i = 0; i < n; i++) mean[of(i)]! += x[i]! / members;
  const variance = new Float64Array(count);
  for (let i = 0; i < n; i++) {
    const centred = x[i]! - mean[of(i)]!;
    variance[of(i)]! += (absolute ? Math.abs(centred) : centred ** 2) / members;
  }
  const r = variance.map((value) => 1 / (absolute ? value + EPSILON : Math.sqrt(value + EPSILON)));
  const xhat = new Float64Array(n);
  for (let i = 0; i < n; i++) xhat[i] = (x[i]! - mean[of(i)]!) * r[of(i)]!;

  if (pass === 'forward') {
    return { y: xhat.map((value, i) => value * gamma[i % channels]! + (parametersOf(op).includes('beta') ? beta[i % channels]! : 0)) };
  }

  const meanG = new Float64Array(count);
  const meanGXhat = new Float64Array(count);
  const dgamma = new Float64Array(channels);
  const dbeta = new Float64Array(channels);
  for (let i = 0; i < n; i++) {
    const channel = i % channels;
    const g = dy[i]! * gamma[channel]!;
    if (centre) meanG[of(i)]! += g / members;
    meanGXhat[of(i)]! += (g * xhat[i]!) / members;
    dgamma[channel]! += dy[i]! * xhat[i]!;
    dbeta[channel]! += dy[i]!;
  }
  const along = absolute ? xhat.map(Math.sign) : xhat;
  // Of xhat it is 0.
  const meanAlong = new Float64Array(count);
  if (absolute) for (let i = 0; i < n; i++) meanAlong[of(i)]! += along[i]! / members;
  const dx = along.map((value, i) => {
    const at = of(i);
    return r[at]! * (dy[i]! * gamma[i % channels]! - meanG[at]! - (value - meanAlong[at]!) * meanGXhat[at]!);
  });
  return parametersOf(op).includes('beta') ? { dx, dgamma, dbeta } : { dx, dgamma };
}
