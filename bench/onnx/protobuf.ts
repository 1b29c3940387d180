// The part of protobuf's wire format that a small ONNX model needs: https://protobuf.dev/programming-guides/encoding/

/** An encoded message: fields joined by {@link message}. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The fields of a message, one after the other. */
export function message(...fields: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(fields.reduce((length, field) => length + field.length, 0));
  let at = 0;
  for (const field of fields) {
    bytes.set(field, at);
    at += field.length;
  }
  return bytes;
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

const key = (field: number, wireType: number): Bytes => varint(field * 8 + wireType);

/** An integer or enum field; negative values take ten bytes, as int64 does. */
export function integer(field: number, value: number): Bytes {
  return message(key(field, 0), varint(value));
}

/** A `float` field. */
export function float(field: number, value: number): Bytes {
  return message(key(field, 5), new Uint8Array(Float32Array.of(value).buffer));
}

/** A `bytes` field or an embedded message. */
export function bytes(field: number, value: Bytes): Bytes {
  return message(key(field, 2), varint(value.length), value);
}

/** A `string` field. */
export function text(field: number, value: string): Bytes {
  return bytes(field, new TextEncoder().encode(value));
}
