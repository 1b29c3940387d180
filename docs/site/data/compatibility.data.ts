// Which backend has a kernel for which op, forward and backward, as the registry knows it.
import { norms } from '@evenkeel/norms/plugin';
import { optim } from '@evenkeel/optim/plugin';
import { weightCompander } from '@evenkeel/optim/weight-compander';
import { retrieval } from '@evenkeel/retrieval/plugin';
import type { AnyOp } from '@evenkeel/core';

export interface Row {
  readonly op: string;
  readonly inputs: string;
  readonly wasm: boolean;
  readonly webgpu: boolean;
  /** How its gradient is reckoned: by an op with a row of its own, or by autodiff of the reference; or that it has none. */
  readonly gradient: string;
  readonly gradientKind: string;
}

export interface PluginTable {
  readonly plugin: string;
  readonly version: string;
  readonly rows: readonly Row[];
  readonly layers: readonly string[];
}

const plugins = [norms, optim, weightCompander, retrieval];

/** A gradient that takes nothing gives nothing: the op is not to be differentiated. */
function gradientOf({ gradient }: AnyOp['definition'], own: string): string {
  if (gradient === undefined) return 'of the reference';
  return gradient.length === 0 ? 'none' : own;
}

function row({ id, definition }: AnyOp, known: ReadonlySet<string>): Row {
  const name = id.slice(id.lastIndexOf('/') + 1);
  const kinds = new Set(definition.kernels?.().map(({ kind }: { kind: string }) => kind));
  const own = known.has(`${id}Grad`) ? `${name}Grad` : 'its own function';
  return {
    op: name,
    inputs: Object.keys(definition.inputs).join(', '),
    wasm: kinds.has('wasm'),
    webgpu: kinds.has('wgsl'),
    gradient: gradientOf(definition, own),
    gradientKind: definition.gradientKind ?? 'derived',
  };
}

declare const data: readonly PluginTable[];
export { data };

export default {
  load: (): PluginTable[] =>
    plugins.map(({ name, version, ops = [], layers = [] }) => {
      const known = new Set(ops.map(({ id }) => id));
      return {
        plugin: name,
        version,
        rows: ops.map((op) => row(op, known)).sort((a, b) => a.op.localeCompare(b.op)),
        layers: layers.map(({ className }) => className).sort(),
      };
    }),
};
