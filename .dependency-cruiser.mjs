// Dependencies point one way: core knows nobody, backends and methods know core and not each other, the front door may use all.
// Run by tools/check/dependencies.mjs; tools/check/dependencies.test.ts plants one violation of each rule.

/** The packages that a package may import, besides core. A package that is not named here may import core alone. */
const above = {
  core: [],
  lm: ['norms', 'optim'],
  vision: ['norms', 'optim'],
  graph: ['norms', 'optim'],
  federated: ['norms', 'optim'],
  nas: ['norms', 'optim'],
  quant: ['norms', 'optim'],
  text: ['retrieval'],
};

/** The front door: may use every package, and nobody may use it. */
const frontDoor = ['evenkeel', 'create-plugin'];

/** Tests, what only tests use, and configuration may import what they like, packages by name. */
const tests = String.raw`(\.test\.ts$|^packages/[^/]+/test/)`;

const oneWay = Object.entries(above).map(([name, allowed]) => ({
  name: `${name}-one-way`,
  comment: `${name} may import ${['core', ...allowed].filter((other) => other !== name).join(', ') || 'no package of this repository'}`,
  severity: 'error',
  from: { path: `^packages/${name}/`, pathNot: tests },
  to: { path: '^packages/', pathNot: `^packages/(${[name, 'core', ...allowed].join('|')})/` },
}));

const others = [...Object.keys(above), ...frontDoor].join('|');

export default {
  forbidden: [
    ...oneWay,
    {
      name: 'only-core',
      comment: 'backends and methods know core, and not each other',
      severity: 'error',
      from: { path: '^packages/([^/]+)/', pathNot: `(^packages/(${others})/|${tests})` },
      to: { path: '^packages/', pathNot: '^packages/($1|core)/' },
    },
    {
      name: 'no-way-back',
      comment: 'packages do not know what is built on them: command line, recipes, bench, docs, tools',
      severity: 'error',
      from: { path: '^packages/', pathNot: tests },
      to: { path: '^(recipes|bench|docs|tools)/' },
    },
    {
      name: 'by-name',
      comment: 'another package is imported by its name, never by a path into its folder: its exports are what it promises',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'no-cycles',
      comment: 'modules that need each other at run time cannot be understood, or loaded, one at a time',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolves',
      comment: 'an import that leads nowhere',
      severity: 'error',
      // What the bench imports is installed only where it runs.
      from: { pathNot: '^bench/' },
      // Vite's ambient types have no JavaScript behind them, and what the site's build makes up has no file.
      to: { couldNotResolve: true, pathNot: '^(vite/client$|virtual:)' },
    },
    {
      name: 'listed',
      comment:
        "what a package imports is in its own package.json, as a dependency or a peer; in this workspace the root's would be found too",
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: tests },
      // An optional peer stands in peerDependenciesMeta, too, which dependency-cruiser takes for a list that it does not know.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-dev', 'npm-unknown', 'unknown'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['@evenkeel/source', 'node', 'import', 'default'] },
    doNotFollow: { path: 'node_modules' },
    // AssemblyScript has its own imports; generated files have none.
    exclude: { path: String.raw`(\.(as|wasm|wgsl)\.ts$|\.generated\.js$|^docs/dist/|^packages/[^/]+/dist/)` },
  },
};
