// Layers and other classes that tfjs serializes: what they are built of must survive being saved and loaded.
import { io, serialization, type Tensor } from '@tensorflow/tfjs-core';
import type { SerializableClass } from '../plugin.ts';
import { identical } from './compare.ts';
import { arrayOf, read, upload, type HostTensor } from './host.ts';
import { held, leftBehind } from './observe.ts';
import { seedOf, uniform } from './uniform.ts';

/** How a layer, or another class of a plugin, is built and called. */
export interface LayerCase {
  readonly name?: string;
  /** Arguments of the constructor. Each of them must come back from getConfig(). */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Shape of a sample, without the batch; a list of shapes for several inputs. Left out for what is no layer: it is not called. */
  readonly inputShape?: readonly number[] | readonly (readonly number[])[];
}

/** What is used of tfjs-layers' models. */
export interface TfjsModel {
  predict(x: Tensor | Tensor[]): Tensor | Tensor[];
  getWeights(): Tensor[];
  setWeights(weights: Tensor[]): void;
  compile(args: { optimizer: string; loss: string }): void;
  trainOnBatch(x: Tensor | Tensor[], y: Tensor | Tensor[]): Promise<number | number[]>;
  save(handler: io.IOHandler): Promise<unknown>;
  dispose(): unknown;
  readonly outputs: { readonly shape: readonly (number | null)[] }[];
}

/** `@tensorflow/tfjs-layers`, as far as it is used: hand over the module. Core itself does without. */
export interface TfjsLayers {
  input(config: { shape: number[] }): object;
  model(args: { inputs: object; outputs: object }): TfjsModel;
  loadLayersModel(handler: io.IOHandler): Promise<TfjsModel>;
}

interface LayerLike extends serialization.Serializable {
  apply(inputs: object | object[]): object | object[];
}

const BATCH = 3;

/** JSON with the keys in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

function randomTensor(name: string, shape: readonly number[]): HostTensor {
  const next = uniform(seedOf(name));
  const size = shape.reduce((product, length) => product * length, 1);
  // Positive, as variances must be.
  return { shape: [...shape], dtype: 'float32', values: arrayOf('float32', size, () => 0.5 + next()) };
}

function list<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

/** getConfig and back, through JSON and the class that is registered under the name. */
export function checkConfig(layer: SerializableClass, { config = {} }: LayerCase): string | undefined {
  const made = new layer({ ...config } as serialization.ConfigDict);
  const given = made.getConfig();
  const lost = Object.keys(config).filter((key) => config[key] !== undefined && !(key in given));
  if (lost.length > 0) return `getConfig() leaves out ${lost.join(', ')}`;
  const saved = JSON.parse(JSON.stringify(given)) as serialization.ConfigDict;
  const known = serialization.SerializationMap.getMap().classNameMap as unknown as Record<
    string,
    [unknown, (cls: unknown, config: object) => serialization.Serializable]
  >;
  const entry = known[layer.className];
  if (entry?.[0] !== layer) return `${layer.className} is registered for another class`;
  const again = entry[1](layer, saved).getConfig();
  const changed = Object.keys(given).filter((key) => canonical(given[key]) !== canonical(again[key]));
  if (changed.length === 0) return undefined;
  return `fromConfig(getConfig()) changes ${changed.map((key) => `${key} from ${canonical(given[key])} to ${canonical(again[key])}`).join(', ')}`;
}

function buildModel(
  { input, model }: TfjsLayers,
  layer: SerializableClass,
  shapes: readonly (readonly number[])[],
  config: object,
): TfjsModel {
  const inputs = shapes.map((shape) => input({ shape: [...shape] }));
  const outputs = (new layer({ ...config } as serialization.ConfigDict) as LayerLike).apply(inputs.length === 1 ? inputs[0]! : inputs);
  return model({ inputs, outputs: list(outputs) });
}

async function readOutputs(model: TfjsModel, inputs: Tensor[]): Promise<HostTensor[]> {
  const outputs = list(model.predict(inputs.length === 1 ? inputs[0]! : inputs));
  const found = await Promise.all(outputs.map(read));
  for (const output of outputs) output.dispose();
  return found;
}

async function reload(library: TfjsLayers, model: TfjsModel): Promise<TfjsModel> {
  let saved: io.ModelArtifacts | undefined;
  await model.save(
    io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const { modelTopology, weightSpecs, weightData } = saved!;
  return library.loadLayersModel(
    io.fromMemory({
      modelTopology: JSON.parse(JSON.stringify(modelTopology)) as object,
      ...(weightSpecs && { weightSpecs }),
      ...(weightData && { weightData }),
    }),
  );
}

/** A model of the layer alone: its predictions, shapes and leaks; saved and loaded; trained for a step. */
export async function checkInModel(
  library: TfjsLayers,
  layer: SerializableClass,
  { config = {}, inputShape }: LayerCase,
): Promise<string | undefined> {
  const shapes = Array.isArray(inputShape![0]) ? (inputShape as readonly (readonly number[])[]) : [inputShape as readonly number[]];
  const before = held();
  const inputs = shapes.map((shape, i) => upload(randomTensor(`input ${i}`, [BATCH, ...shape])));
  const models: TfjsModel[] = [];
  const close = (): void => {
    for (const model of models.splice(0)) model.dispose();
    for (const input of inputs.splice(0)) input.dispose();
  };
  try {
    const model = buildModel(library, layer, shapes, config);
    models.push(model);
    const weights = model.getWeights().map(({ shape }, i) => upload(randomTensor(`weight ${i}`, shape)));
    model.setWeights(weights);
    for (const weight of weights) weight.dispose();
    const wanted = await readOutputs(model, inputs);
    for (const [i, { shape }] of wanted.entries()) {
      const said = model.outputs[i]!.shape;
      if (said.length !== shape.length || said.some((length, axis) => length !== null && length !== shape[axis])) {
        return `the output has shape [${shape.join(', ')}], computeOutputShape says [${said.join(', ')}]`;
      }
    }
    const warm = held();
    await readOutputs(model, inputs);
    const leak = leftBehind('predict', warm);
    if (leak) return leak;
    const loaded = await reload(library, model);
    models.push(loaded);
    const found = await readOutputs(loaded, inputs);
    if (found.some((each, i) => !identical(each, wanted[i]!))) return 'predictions are others after saving and loading';
    const trained = await trainStep(model, inputs, wanted);
    if (trained) return trained;
  } finally {
    close();
  }
  // The optimizer of the step holds tensors of its own; what the layer holds must go with the model.
  return leftBehind('the model, when it is disposed,', before);
}

async function trainStep(model: TfjsModel, inputs: Tensor[], outputs: HostTensor[]): Promise<string | undefined> {
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const targets = outputs.map(({ shape }, i) => upload(randomTensor(`target ${i}`, shape)));
  try {
    const losses = list(await model.trainOnBatch(inputs.length === 1 ? inputs[0]! : inputs, targets.length === 1 ? targets[0]! : targets));
    return losses.every(Number.isFinite) ? undefined : `the loss of a training step is ${losses.join(', ')}`;
  } finally {
    for (const target of targets) target.dispose();
  }
}
