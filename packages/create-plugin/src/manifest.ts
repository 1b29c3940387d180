import type { Names } from './names.ts';
import { template } from './template.generated.js';
import type { Variant } from './variants.ts';

/** Entry points by variant: what stands in `exports`, and the module behind it. */
const entries: Record<Variant, Record<string, string>> = {
  op: { '.': 'index', './layer': 'layer', './plugin': 'plugin', './checks': 'checks' },
  layer: { '.': 'index', './layer': 'layer', './plugin': 'plugin', './checks': 'checks' },
  optimizer: { '.': 'optimizer', './plugin': 'plugin', './checks': 'checks' },
  kernel: { '.': 'plugin', './plugin': 'plugin', './checks': 'checks' },
};

const description: Record<Variant, (names: Names) => string> = {
  op: ({ function: name }) => `${name} for TensorFlow.js, with kernels for WASM and WebGPU: a plugin for Evenkeel.`,
  layer: ({ layer }) => `${layer}, a layer for TensorFlow.js: a plugin for Evenkeel.`,
  optimizer: ({ optimizer }) => `${optimizer}, an optimizer for TensorFlow.js: a plugin for Evenkeel.`,
  kernel: () => 'Kernels for rmsNorm of @evenkeel/norms, on WASM and WebGPU: a plugin for Evenkeel.',
};

/** All of these keep registries, of which a program should have one: so they are peers. Layers are optional where ops work without. */
const peers: Record<Variant, readonly string[]> = {
  op: ['@evenkeel/core', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'],
  layer: ['@evenkeel/core', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'],
  optimizer: ['@evenkeel/core', '@tensorflow/tfjs-core'],
  kernel: ['@evenkeel/core', '@evenkeel/norms', '@tensorflow/tfjs-core'],
};

/** For the tests: backends with their own peers, and what builds. */
const development = [
  '@changesets/cli',
  '@evenkeel/backend-wasm',
  '@evenkeel/backend-webgpu',
  '@evenkeel/kernel-build',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgpu',
  '@types/node',
  'tsdown',
  'typescript',
  'vitest',
  'webgpu',
];

function ranges(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const range = template.versions[name];
      if (range === undefined) throw new Error(`the template has no version of ${name}`);
      return [name, range];
    }),
  );
}

/** The package.json of a plugin. */
export function manifestOf(names: Names, variant: Variant): object {
  const hasBench = Object.keys(template.variants[variant]).some((file) => file.endsWith('.bench.ts'));
  // Its tests build models, of its layers or with its optimizer.
  const more = variant === 'optimizer' ? ['@tensorflow/tfjs-layers'] : [];
  return {
    name: names.packageName,
    version: '0.0.0',
    description: description[variant](names),
    keywords: ['evenkeel', 'evenkeel-plugin', 'tensorflow', 'tfjs', 'wasm', 'webgpu'],
    license: 'Apache-2.0',
    files: ['dist', 'src', '!src/**/*.test.ts'],
    type: 'module',
    sideEffects: false,
    exports: Object.fromEntries(
      Object.entries(entries[variant]).map(([entry, module]) => [
        entry,
        { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` },
      ]),
    ),
    publishConfig: { access: 'public' },
    scripts: {
      kernels: 'evenkeel-kernels --write-version src/version.ts',
      build: 'tsdown',
      types: 'npm run kernels && tsc',
      test: 'vitest run',
      ...(hasBench && { bench: 'vitest bench --run' }),
      prepack: 'npm run build',
      version: 'changeset version',
      release: 'npm run types && npm test && changeset publish',
    },
    devDependencies: ranges([...development, ...more]),
    peerDependencies: ranges(peers[variant]),
    ...(variant === 'op' && { peerDependenciesMeta: { '@tensorflow/tfjs-layers': { optional: true } } }),
    engines: { node: '>=20.19' },
  };
}
