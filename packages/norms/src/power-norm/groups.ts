// Scaling of groups of channels, PowerNorm's stateless first step: root-mean-square normalization of each group of a token, without gamma.
import { add, div, mean, mul, reshape, sqrt, square, sub, type Tensor } from '@tensorflow/tfjs-core';

/** [..., channels] as [..., groups, channels / groups]. */
const grouped = (x: Tensor, groups: number): Tensor => reshape(x, [...x.shape.slice(0, -1), groups, x.shape.at(-1)! / groups]);

/** 1 / sqrt(mean of the group's squares + epsilon) */
const scaleOf = (x: Tensor, epsilon: number): Tensor => div(1, sqrt(add(mean(square(x), -1, true), epsilon)));

/** xs = x / sqrt(mean of the group's squares + epsilon) */
export function scaleGroups(x: Tensor, groups: number, epsilon: number): Tensor {
  const inGroups = grouped(x, groups);
  return reshape(mul(inGroups, scaleOf(inGroups, epsilon)), x.shape);
}

/** dx = s (d - xs mean(d xs)) for each group, with s = 1 / sqrt(mean square + epsilon). */
export function scaleGroupsGrad(x: Tensor, d: Tensor, groups: number, epsilon: number): Tensor {
  const [inGroups, upstream] = [grouped(x, groups), grouped(d, groups)];
  const s = scaleOf(inGroups, epsilon);
  const xs = mul(inGroups, s);
  return reshape(mul(s, sub(upstream, mul(xs, mean(mul(upstream, xs), -1, true)))), x.shape);
}
