// Computes the cases of dbnorm.json.
import { dispose, tidy, topk, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core';
import '@evenkeel/core/register-gradients';
import { isTensor, type Adapter, type Adapters, type OracleTensor, type Value } from '../../../tools/oracles/adapter.ts';
import { toTensor } from '../../../tools/oracles/tensors.ts';
import {
  activationMask,
  csls,
  dualDynamicInvertedSoftmax,
  dualInvertedSoftmax,
  dynamicInvertedSoftmax,
  invertedSoftmax,
  kOccurrence,
  metricsOf,
  officialDualDynamicInvertedSoftmax,
  ranksOf,
  skewness,
} from '../src/index.ts';

interface Params {
  beta1?: number;
  beta2?: number;
  activation_k?: number;
  hub_k?: number;
  csls_k_bank?: number;
  csls_k_row?: number;
}

async function read(make: () => Tensor): Promise<OracleTensor> {
  const tensor = tidy(make);
  const data = Float64Array.from(await tensor.data());
  const { shape } = tensor;
  tensor.dispose();
  return { shape, data };
}

const exp = ({ shape, data }: OracleTensor): OracleTensor => ({ shape, data: data.map(Math.exp) });
const list = (values: ArrayLike<number>): OracleTensor => ({ shape: [values.length], data: Float64Array.from(values) });
const scalar = (value: number): OracleTensor => ({ shape: [], data: Float64Array.of(value) });

/** Rows of `scores` where `active` is 1, else of `raw`. */
function mixed(active: OracleTensor, scores: OracleTensor, raw: OracleTensor): OracleTensor {
  const columns = scores.shape[1]!;
  return { shape: scores.shape, data: scores.data.map((value, i) => (active.data[Math.floor(i / columns)] ? value : raw.data[i]!)) };
}

/** Which items are activated, as their indices. */
async function activationSet(bank: Tensor2D, k: number): Promise<number[]> {
  const mask = await read(() => activationMask(bank, { k }));
  return [...mask.data].flatMap((value, j) => (value ? [j] : []));
}

async function argMaxOf(similarities: Tensor2D): Promise<OracleTensor> {
  const { shape, data } = await read(() => topk(similarities, 1).indices);
  return { shape: [shape[0]!], data };
}

const computations: Readonly<
  Record<string, (inputs: Record<string, Tensor2D>, params: Params, targets: number[]) => Promise<OracleTensor>>
> = {
  log_is_query_bank: ({ S, query_bank }, { beta1 = 20 }) => read(() => invertedSoftmax(S!, query_bank!, { beta: beta1 })),
  is_query_bank: async ({ S, query_bank }, { beta1 = 20 }) => exp(await read(() => invertedSoftmax(S!, query_bank!, { beta: beta1 }))),
  dis_query_bank: async ({ S, query_bank }, { beta1 = 20, activation_k: k = 1 }) => {
    const scores = await read(() => dynamicInvertedSoftmax(S!, query_bank!, { beta: beta1, k }));
    const active = await activeOf(S!, query_bank!, k);
    return mixed(active, exp(scores), await read(() => S!.clone()));
  },
  log_dual_is: ({ S, query_bank, gallery_bank }, { beta1 = 20, beta2 = 20 }) =>
    read(() => dualInvertedSoftmax(S!, query_bank!, gallery_bank!, { beta1, beta2 })),
  dual_is: async ({ S, query_bank, gallery_bank }, { beta1 = 20, beta2 = 20 }) =>
    exp(await read(() => dualInvertedSoftmax(S!, query_bank!, gallery_bank!, { beta1, beta2 }))),
  safe_log_dual_dis: ({ S, query_bank, gallery_bank }, { beta1 = 20, beta2 = 20, activation_k: k = 1 }) =>
    read(() => dualDynamicInvertedSoftmax(S!, query_bank!, gallery_bank!, { beta1, beta2, k })),
  dual_dis_official_scale: async ({ S, query_bank, gallery_bank }, { beta1 = 20, beta2 = 20, activation_k: k = 1 }) => {
    const found = officialDualDynamicInvertedSoftmax(S!, query_bank!, gallery_bank!, { beta1, beta2, k });
    const sign = await found.sign.data();
    const magnitude = await read(() => found.logMagnitude.clone());
    dispose([found.sign, found.logMagnitude]);
    return { shape: magnitude.shape, data: magnitude.data.map((value, i) => sign[i]! * Math.exp(value)) };
  },
  active_rows_query_bank: ({ S, query_bank }, { activation_k: k = 1 }) => activeOf(S!, query_bank!, k),
  active_rows_gallery_bank: ({ S, gallery_bank }, { activation_k: k = 1 }) => activeOf(S!, gallery_bank!, k),
  activation_set_query_bank: async ({ query_bank }, { activation_k: k = 1 }) => list(await activationSet(query_bank!, k)),
  activation_set_gallery_bank: async ({ gallery_bank }, { activation_k: k = 1 }) => list(await activationSet(gallery_bank!, k)),
  csls: ({ S, query_bank }, { csls_k_bank: k = 10, csls_k_row: kRow = 10 }) => read(() => csls(S!, query_bank!, { k, kRow })),
  k_occurrence: async ({ S }, { hub_k: k = 10 }) => list(await kOccurrence(S!, { k })),
  k_occurrence_skewness: async ({ S }, { hub_k: k = 10 }) => scalar(skewness(await kOccurrence(S!, { k }))),
  rank_raw_mean_ties: async ({ S }, _, targets) => list((await ranksOf(S!, targets)).map(([rank]) => rank!)),
  rank_dual_is: async ({ S, query_bank, gallery_bank }, { beta1 = 20, beta2 = 20 }, targets) => {
    const scores = dualInvertedSoftmax(S!, query_bank!, gallery_bank!, { beta1, beta2 });
    const ranks = await ranksOf(scores, targets);
    scores.dispose();
    return list(ranks.map(([rank]) => rank!));
  },
  recall_at_1_raw: async ({ S }, _, targets) => scalar(metricsOf(await ranksOf(S!, targets)).recall[1]!),
  argmax_row: async ({ S, query_bank, gallery_bank }, { beta1 = 20, beta2 = 20 }) => {
    const scores = dualInvertedSoftmax(S!, query_bank!, gallery_bank!, { beta1, beta2 });
    const found = await argMaxOf(scores);
    scores.dispose();
    return found;
  },
  // A bank whose rows activate nothing that a query comes to: the order must be that of the similarities.
  argsort_desc: ({ S }) => read(() => topk(S!, S!.shape[1]).indices),
};

/** Which queries are active, as the activation set and the raw ranking have it. */
async function activeOf(similarities: Tensor2D, bank: Tensor2D, k: number): Promise<OracleTensor> {
  const active = new Set(await activationSet(bank, k));
  const nearest = await argMaxOf(similarities);
  return list(Array.from(nearest.data, (item) => (active.has(item) ? 1 : 0)));
}

const error = (a: number, b: number): number => Math.abs(a - b) / (1 + Math.abs(b));

/** Exponentials are compared by their logarithms, too: the card has all of it in the log domain, and float32 has no more digits there. */
const inLogs = (found: Value, wanted: Value, { tolerance }: { readonly tolerance: number }): number => {
  if (!isTensor(found) || !isTensor(wanted)) return Infinity;
  const errors = Array.from(wanted.data, (b, i) => {
    const a = found.data[i]!;
    if (Math.sign(a) !== Math.sign(b)) return Infinity;
    return a === b ? 0 : Math.min(error(a, b), error(Math.log(Math.abs(a)), Math.log(Math.abs(b))));
  });
  const worst = Math.max(...errors);
  return Number.isNaN(worst) ? Infinity : worst / tolerance;
};

const dbnorm: Adapter = {
  claims: ({ inputs, outputs }) => 'S' in inputs && Object.keys(outputs).every((key) => key in computations),
  async run({ params, inputs, wanted }) {
    const { target, ...matrices } = inputs;
    const tensors = Object.fromEntries(Object.entries(matrices).map(([name, value]) => [name, toTensor(value) as Tensor2D]));
    const targets = isTensor(target) ? [...target.data] : [];
    const outputs: Record<string, OracleTensor> = {};
    for (const key of Object.keys(wanted.outputs)) outputs[key] = await computations[key]!(tensors, params as Params, targets);
    dispose(tensors);
    return { outputs };
  },
  exact: [
    'active_rows_query_bank',
    'active_rows_gallery_bank',
    'activation_set_query_bank',
    'activation_set_gallery_bank',
    'k_occurrence',
    'argsort_desc',
    'argmax_row',
  ],
  compare: { is_query_bank: inLogs, dis_query_bank: inLogs, dual_is: inLogs, dual_dis_official_scale: inLogs },
};

export const adapters: Adapters = { dbnorm: [dbnorm] };
