// The paper's generator, of any width: two convolutions down, residual blocks, up by pixel shuffling. Norms by scheme.
import {
  add,
  conv2d,
  dispose,
  mul,
  ones,
  relu,
  reshape,
  sub,
  tanh,
  tensor,
  tidy,
  transpose,
  variable,
  zeros,
  type Tensor,
  type Tensor4D,
  type Variable,
} from '@tensorflow/tfjs-core';
import { random } from '@evenkeel/core';
import { instanceNorm, regionNormBasic, regionNormLearnable, type RegionAffineMode, type RegionStatistics } from '@evenkeel/norms';

export interface GeneratorOptions {
  /** Channels of the first layer. Default 64. */
  readonly width?: number;
  /** Default 8. */
  readonly blocks?: number;
  /** What normalizes the first two layers. Default 'rn-b'. */
  readonly encoder?: 'rn-b' | 'instance';
  /** What normalizes the others. Default 'rn-l'. */
  readonly later?: 'rn-l' | 'instance';
  /** Default 'instance': a picture's result does not depend on the batch. */
  readonly statistics?: RegionStatistics;
  readonly affineMode?: RegionAffineMode;
  readonly seed?: number;
}

export interface Generator {
  readonly weights: Readonly<Record<string, Variable>>;
  /** Pictures [batch, height, width, 3] from 0 to 1 with holes filled by 1, and masks; height and width are even. */
  apply(filled: Tensor, mask: Tensor): Tensor;
  dispose(): void;
}

/** [batch, h, w, 4 c] to [batch, 2 h, 2 w, c], of operations that have gradients. */
function shuffled(x: Tensor): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const apart = reshape(x, [batch, height, width, 2, 2, channels / 4]);
  return reshape(transpose(apart, [0, 1, 3, 2, 4, 5]), [batch, 2 * height, 2 * width, channels / 4]);
}

export function buildInpaintingGenerator({
  width = 64,
  blocks = 8,
  encoder = 'rn-b',
  later = 'rn-l',
  statistics = 'instance',
  affineMode = 'official',
  seed = 1,
}: GeneratorOptions = {}): Generator {
  const sequence = random(seed).stream('generator');
  const weights: Record<string, Variable> = {};
  const kernel = (name: string, shape: number[], gain = 1): void => {
    const inputs = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const values = sequence.normal(inputs * shape.at(-1)!).map((value) => value * gain * Math.sqrt(2 / inputs));
    weights[name] = tidy(() => variable(tensor(values, shape)));
  };
  const parameter = (name: string, make: () => Tensor): void => {
    weights[name] = tidy(() => variable(make()));
  };
  const addNorm = (name: string, kind: string, channels: number): void => {
    if (kind === 'instance') {
      parameter(`${name} gamma`, () => ones([channels]));
      parameter(`${name} beta`, () => zeros([channels]));
    } else if (kind === 'rn-b') {
      for (const part of ['foregroundGamma', 'foregroundBeta', 'backgroundGamma', 'backgroundBeta'])
        parameter(`${name} ${part}`, () => zeros([channels]));
    } else {
      // A tenth of He's deviation, so that importance starts at about 0.5.
      kernel(`${name} mapKernel`, [7, 7, 2, 1], 0.1);
      kernel(`${name} gammaKernel`, [7, 7, 1, 1], 0.1);
      kernel(`${name} betaKernel`, [7, 7, 1, 1], 0.1);
      parameter(`${name} gammaBias`, () => zeros([1]));
      parameter(`${name} betaBias`, () => zeros([1]));
    }
  };
  const part = (name: string): Variable => weights[name]!;
  const parts = (name: string, names: readonly string[]): Record<string, Variable> =>
    Object.fromEntries(names.map((each) => [each, part(`${name} ${each}`)]));
  const normalize = (x: Tensor, mask: Tensor, name: string, kind: string): Tensor => {
    if (kind === 'instance') return instanceNorm(x, part(`${name} gamma`), part(`${name} beta`));
    if (kind === 'rn-b') {
      const names = ['foregroundGamma', 'foregroundBeta', 'backgroundGamma', 'backgroundBeta'];
      return regionNormBasic(x, mask, parts(name, names), { statistics, affineMode });
    }
    const names = ['mapKernel', 'gammaKernel', 'gammaBias', 'betaKernel', 'betaBias'];
    return regionNormLearnable(x, parts(name, names) as never, { statistics });
  };
  const convolve = (x: Tensor, name: string, stride = 1): Tensor =>
    conv2d(x as Tensor4D, part(name) as unknown as Tensor4D, stride, 'same');

  kernel('down 0', [5, 5, 3, width]);
  addNorm('norm 0', encoder, width);
  kernel('down 1', [4, 4, width, 2 * width]);
  addNorm('norm 1', encoder, 2 * width);
  for (let block = 0; block < blocks; block++) {
    for (const place of ['first', 'second']) {
      kernel(`block ${block} ${place}`, [3, 3, 2 * width, 2 * width]);
      addNorm(`norm ${block} ${place}`, later, 2 * width);
    }
  }
  kernel('up', [3, 3, 2 * width, 4 * width]);
  addNorm('norm up', later, width);
  kernel('out', [5, 5, width, 3]);

  return {
    weights,
    apply: (filled, mask) => {
      let x = relu(normalize(convolve(filled, 'down 0'), mask, 'norm 0', encoder));
      x = relu(normalize(convolve(x, 'down 1', 2), mask, 'norm 1', encoder));
      for (let block = 0; block < blocks; block++) {
        const inner = relu(normalize(convolve(x, `block ${block} first`), mask, `norm ${block} first`, later));
        x = add(x, normalize(convolve(inner, `block ${block} second`), mask, `norm ${block} second`, later));
      }
      x = relu(normalize(shuffled(convolve(x, 'up')), mask, 'norm up', later));
      return mul(add(tanh(convolve(x, 'out')), 1), 0.5);
    },
    dispose: () => dispose(Object.values(weights)),
  };
}

/** The picture with its hole filled in: what is valid stays as it was. */
export function inpaint(generator: Generator, picture: Tensor, mask: Tensor): Tensor {
  return tidy(() => {
    const valid = sub(1, mask);
    const filled = add(mul(picture, valid), mask);
    return add(mul(generator.apply(filled, mask), mask), mul(picture, valid));
  });
}
