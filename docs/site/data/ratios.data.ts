// The bench's ratios to be drawn: a chart for each backend or part, a row for each kind of case, a mark for each peer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Mark {
  readonly peer: string;
  /** How many times as long as ours it takes: the geometric mean over the cases of the row, the least and the most. */
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  readonly cases: number;
}

export interface RatioChart {
  readonly title: string;
  readonly note: string;
  readonly peers: readonly string[];
  readonly rows: readonly { readonly label: string; readonly marks: readonly Mark[] }[];
}

interface Arm {
  readonly arm: string;
  readonly timesEvenkeel?: { readonly ratio: number };
}

interface Case {
  readonly row: string;
  readonly arms: readonly Arm[];
}

const results = join(import.meta.dirname, '../../../bench/results');
const read = <T>(name: string): T => JSON.parse(readFileSync(join(results, `${name}.json`), 'utf8')) as T;

function mark(peer: string, ratios: readonly number[]): Mark {
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  return { peer, mean, least: Math.min(...ratios), most: Math.max(...ratios), cases: ratios.length };
}

function chart(title: string, note: string, peers: readonly string[], cases: readonly Case[]): RatioChart {
  const ratios = (row: string, peer: string): number[] =>
    cases
      .filter((each) => each.row === row)
      .flatMap(({ arms }) => arms.filter(({ arm }) => arm === peer))
      .flatMap(({ timesEvenkeel }) => (timesEvenkeel === undefined ? [] : [timesEvenkeel.ratio]));
  const rows = [...new Set(cases.map(({ row }) => row))].map((label) => ({
    label,
    marks: peers.map((peer) => mark(peer, ratios(label, peer))).filter((found) => found.cases > 0),
  }));
  const present = new Set(rows.flatMap(({ marks }) => marks.map(({ peer }) => peer)));
  return { title, note, peers: peers.filter((peer) => present.has(peer)), rows: rows.filter(({ marks }) => marks.length > 0) };
}

interface NormCase {
  readonly backend: string;
  readonly op: string;
  readonly pass: string;
  readonly arms: readonly Arm[];
}

const machine = ({ cpu, cores }: { cpu: string; cores: number }): string => `${cpu}, ${cores} cores`;

declare const data: readonly RatioChart[];
export { data };

export default {
  watch: ['../../../bench/results/*.json'],
  load(): RatioChart[] {
    const norms = read<{ cases: NormCase[]; date: string; machine: { cpu: string; cores: number }; adapter: string }>('norms');
    const wasm = read<{ rows: { group: string; arms: Arm[] }[]; date: string; machine: { cpu: string; cores: number } }>('wasm');
    const on = (backend: string): Case[] =>
      norms.cases
        .filter((each) => each.backend === backend)
        .map(({ op, pass, arms }) => ({ row: `${op}${pass === 'forward' ? '' : ' + gradient'}`, arms }));
    const peers = ['composed', 'tfjs-layers', 'jax-js', 'onnxruntime-web', 'onnxruntime-node'];
    return [
      chart('Norms on wasm', `${norms.date}, ${machine(norms.machine)}`, peers, on('wasm')),
      chart('Norms on webgpu', `${norms.date}, ${norms.adapter}: a GPU in software`, peers, on('webgpu')),
      chart(
        'The WASM engine',
        `${wasm.date}, ${machine(wasm.machine)}`,
        ['tfjs-wasm', 'onnxruntime-web', 'onnxruntime-node', 'tfjs-cpu'],
        wasm.rows.map(({ group, arms }) => ({ row: group, arms })),
      ),
    ];
  },
};
