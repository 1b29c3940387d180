// Writes ONNX models, by the field numbers of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { bytes, float, integer, message, text, type Bytes } from './protobuf.ts';

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** ONNX tells a float from an integer; JavaScript does not. */
export type Attribute = { readonly float: number } | { readonly int: number } | { readonly ints: readonly number[] };

export interface Constant {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** A float32 graph. */
export interface Graph {
  /** The version of ONNX' standard operators. */
  readonly opset: number;
  readonly nodes: readonly Node[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly constants: Readonly<Record<string, Constant>>;
}

const FLOAT32 = 1;
/** Understood by every runtime since opset 17; later ones add only types. */
const IR_VERSION = 8;

function attribute([name, value]: [string, Attribute]): Bytes {
  if ('float' in value) return message(text(1, name), float(2, value.float), integer(20, 1));
  if ('int' in value) return message(text(1, name), integer(3, value.int), integer(20, 2));
  return message(text(1, name), ...value.ints.map((each) => integer(8, each)), integer(20, 7));
}

function node({ op, inputs, outputs, attributes = {} }: Node): Bytes {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map((entry) => bytes(5, attribute(entry))),
  );
}

function valueInfo([name, shape]: [string, readonly number[]]): Bytes {
  const dimensions = shape.map((length) => bytes(1, integer(1, length)));
  const tensorType = message(integer(1, FLOAT32), bytes(2, message(...dimensions)));
  return message(text(1, name), bytes(2, bytes(1, tensorType)));
}

function constant([name, { shape, data }]: [string, Constant]): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return message(...shape.map((length) => integer(1, length)), integer(2, FLOAT32), text(8, name), bytes(9, raw));
}

/** The graph as the bytes of an `.onnx` file. */
export function encodeModel({ opset, nodes, inputs, outputs, constants }: Graph): Bytes {
  const graph = message(
    ...nodes.map((each) => bytes(1, node(each))),
    text(2, 'bench'),
    ...Object.entries(constants).map((entry) => bytes(5, constant(entry))),
    ...Object.entries(inputs).map((entry) => bytes(11, valueInfo(entry))),
    ...Object.entries(outputs).map((entry) => bytes(12, valueInfo(entry))),
  );
  return message(integer(1, IR_VERSION), text(2, '@evenkeel/bench'), bytes(7, graph), bytes(8, integer(2, opset)));
}
