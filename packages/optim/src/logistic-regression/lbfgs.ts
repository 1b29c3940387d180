import { dot } from './norm.ts';

/** A function's value and gradient. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface LbfgsOptions<E extends Evaluation> {
  /** It has converged when no entry of the gradient is larger. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Hears of every iterate, the start first. */
  readonly onIteration?: (iteration: number, evaluation: E) => Promise<void> | void;
}

export interface Minimum {
  readonly theta: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
}

/** So many differences of the past make up the curvature. */
const MEMORY = 10;
/** Of the weak Wolfe conditions. */
const DECREASE = 1e-4;
const CURVATURE = 0.9;
const MOST_TRIALS = 60;

const moved = (theta: Float64Array, step: number, direction: Float64Array): Float64Array =>
  theta.map((value, i) => value + step * direction[i]!);

interface Difference {
  readonly theta: Float64Array;
  readonly gradient: Float64Array;
  readonly product: number;
}

/** Minus the inverse curvature times the gradient: the two loops of Nocedal 1980. */
function directionOf(gradient: Float64Array, differences: readonly Difference[]): Float64Array {
  let direction: Float64Array = gradient.map((value) => -value);
  const factors: number[] = [];
  for (let i = differences.length - 1; i >= 0; i--) {
    const { theta, gradient: change, product } = differences[i]!;
    factors[i] = dot(theta, direction) / product;
    direction = moved(direction, -factors[i]!, change);
  }
  const last = differences.at(-1);
  if (last) {
    const scale = last.product / dot(last.gradient, last.gradient);
    direction = direction.map((value) => value * scale);
  }
  differences.forEach(({ theta, gradient: change, product }, i) => {
    direction = moved(direction, factors[i]! - dot(change, direction) / product, theta);
  });
  return direction;
}

/** Minimizes a smooth function, starting from `theta`. The line search brackets a step that meets the weak Wolfe conditions, by halves. */
export async function lbfgs<E extends Evaluation>(
  evaluate: (theta: Float64Array) => Promise<E>,
  theta: Float64Array,
  { tolerance, maxIterations, onIteration }: LbfgsOptions<E>,
): Promise<Minimum & E> {
  let at = await evaluate(theta);
  const differences: Difference[] = [];
  for (let iterations = 0; ; iterations++) {
    await onIteration?.(iterations, at);
    const converged = at.gradient.every((value) => Math.abs(value) <= tolerance);
    if (converged || iterations === maxIterations) return { ...at, theta, iterations, converged };
    const direction = directionOf(at.gradient, differences);
    const slope = dot(at.gradient, direction);
    let step = differences.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(dot(at.gradient, at.gradient)));
    let [low, high] = [0, Infinity];
    let found: { theta: Float64Array; at: E } | undefined;
    for (let trial = 0; trial < MOST_TRIALS && !found; trial++) {
      const candidate = moved(theta, step, direction);
      const next = await evaluate(candidate);
      if (!(next.value <= at.value + DECREASE * step * slope)) high = step;
      else if (dot(next.gradient, direction) < CURVATURE * slope) low = step;
      else found = { theta: candidate, at: next };
      step = high === Infinity ? 2 * low : (low + high) / 2;
    }
    // Float64 has no lower value along this line.
    if (!found) return { ...at, theta, iterations, converged };
    const previous = { theta, gradient: at.gradient };
    const change = found.at.gradient.map((value, i) => value - previous.gradient[i]!);
    const way = found.theta.map((value, i) => value - previous.theta[i]!);
    const product = dot(change, way);
    if (product > 0) differences.push({ theta: way, gradient: change, product });
    if (differences.length > MEMORY) differences.shift();
    theta = found.theta;
    at = found.at;
  }
}
