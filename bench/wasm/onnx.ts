// The same op in onnxruntime, on one thread.
import type { InferenceSession, TypedTensor } from 'onnxruntime-node';
import type { Arm } from '../harness/arm.ts';
import { normal } from '../harness/random.ts';
import { encodeModel, type Node } from '../onnx/model.ts';

/** A model of one node. Its inputs are random: it is timed, and the layouts differ from tfjs', so that its results are not compared. */
export interface Model {
  readonly node: Pick<Node, 'op' | 'attributes'>;
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
}

interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => TypedTensor<'float32'>;
}

async function arm(name: string, runtime: Runtime, provider: string, { node, inputs, output }: Model): Promise<Arm> {
  const names = inputs.map((_, i) => `input${i}`);
  const model = encodeModel({
    opset: 17,
    nodes: [{ ...node, inputs: names, outputs: ['y'] }],
    inputs: Object.fromEntries(inputs.map((shape, i) => [names[i]!, shape])),
    outputs: { y: output },
    constants: {},
  });
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const feeds = Object.fromEntries(
    inputs.map((shape, i) => [
      names[i]!,
      new runtime.Tensor(
        'float32',
        normal(
          shape.reduce((a, b) => a * b, 1),
          i + 1,
        ),
        shape,
      ),
    ]),
  );
  return { name, note: `${provider}, 1 thread`, run: () => session.run(feeds), dispose: () => void session.release() };
}

export async function onnxruntimeWeb(model: Model): Promise<Arm> {
  const runtime = await import('onnxruntime-web');
  runtime.env.wasm.numThreads = 1;
  return arm('onnxruntime-web', runtime as unknown as Runtime, 'wasm', model);
}

export async function onnxruntimeNode(model: Model): Promise<Arm> {
  const runtime = await import('onnxruntime-node');
  return arm('onnxruntime-node', runtime as unknown as Runtime, 'cpu', model);
}
