import { EvenkeelError } from '@evenkeel/core';

/** A `var` of the shader in group 0. */
export interface Binding {
  readonly name: string;
  readonly binding: number;
  readonly kind: 'read' | 'read_write' | 'uniform';
}

/** A field of the uniform struct: four bytes each, one after the other. */
export interface UniformField {
  readonly name: string;
  readonly type: 'f32' | 'i32' | 'u32';
}

/** What a shader's text says of itself. */
export interface ShaderText {
  readonly bindings: readonly Binding[];
  readonly uniforms: readonly UniformField[];
  readonly entryPoints: readonly string[];
  /** `override` constants that have no value of their own. */
  readonly required: readonly string[];
}

const VARIABLE = /((?:@\w+(?:\s*\([^)]*\))?\s*)+)var\s*<\s*(\w+)\s*(?:,\s*(\w+)\s*)?>\s*(\w+)\s*:\s*([^;]+);/g;
const ENTRY_POINT = /@compute\b[^;{}]*?\bfn\s+(\w+)/g;
const OVERRIDE = /\boverride\s+(\w+)\s*(?::\s*\w+\s*)?;/g;

/** Blanks out comments, so that positions stay. WGSL's block comments nest. */
function withoutComments(code: string): string {
  let text = '';
  let depth = 0;
  for (let at = 0; at < code.length;) {
    const two = code.slice(at, at + 2);
    if (depth === 0 && two === '//') {
      const end = code.indexOf('\n', at);
      text += ' '.repeat((end < 0 ? code.length : end) - at);
      at = end < 0 ? code.length : end;
    } else if (two === '/*' || (depth > 0 && two === '*/')) {
      depth += two === '/*' ? 1 : -1;
      text += '  ';
      at += 2;
    } else {
      text += depth === 0 || code[at] === '\n' ? code[at] : ' ';
      at++;
    }
  }
  return text;
}

function attribute(attributes: string, name: string): number | undefined {
  const found = new RegExp(`@${name}\\s*\\(\\s*(\\d+)[iu]?\\s*,?\\s*\\)`).exec(attributes);
  return found ? Number(found[1]) : undefined;
}

/** Reads bindings, uniforms, entry points and overrides from WGSL text, so that kernels need not say them twice. */
export function readShader(op: string, shader: string, code: string): ShaderText {
  const text = withoutComments(code);
  const fail = (message: string): never => {
    throw new EvenkeelError('WGSL', `shader ${shader}: ${message}`, { op });
  };
  const bindings: Binding[] = [];
  let uniforms: UniformField[] = [];
  for (const [, attributes = '', space, access = 'read', name = '', type = ''] of text.matchAll(VARIABLE)) {
    const binding = attribute(attributes, 'binding') ?? fail(`variable ${name} has no @binding with a number`);
    const group = attribute(attributes, 'group');
    if (group !== 0) fail(`variable ${name} has group ${group ?? 'none'}, expected @group(0)`);
    const known = bindings.find((other) => other.binding === binding || other.name === name);
    if (known) fail(`variables ${known.name} and ${name} both have binding ${binding}`);
    if (space === 'uniform') {
      if (bindings.some(({ kind }) => kind === 'uniform')) fail('has more than one uniform variable, expected one struct');
      uniforms = readStruct(text, type.trim(), fail);
      bindings.push({ name, binding, kind: 'uniform' });
    } else if (space === 'storage' && (access === 'read' || access === 'read_write')) bindings.push({ name, binding, kind: access });
    else fail(`variable ${name} is var<${space}, ${access}>, expected storage (read or read_write) or uniform`);
  }
  return {
    bindings,
    uniforms,
    entryPoints: [...text.matchAll(ENTRY_POINT)].map(([, name]) => name!),
    required: [...text.matchAll(OVERRIDE)].map(([, name]) => name!),
  };
}

function readStruct(text: string, name: string, fail: (message: string) => never): UniformField[] {
  const body = new RegExp(`\\bstruct\\s+${name}\\s*\\{([^}]*)\\}`).exec(text)?.[1];
  if (body === undefined) return fail(`the uniform's type is ${name}, expected a struct of f32, i32 and u32`);
  const members = body.split(',').filter((member) => member.trim() !== '');
  return members.map((member) => {
    const [, field, type] = /^\s*(\w+)\s*:\s*(f32|i32|u32)\s*$/.exec(member) ?? [];
    if (field === undefined) return fail(`uniform field '${member.trim()}' of ${name} is not a scalar f32, i32 or u32`);
    return { name: field, type: type as UniformField['type'] };
  });
}

/** Lays out uniform values as the struct wants them. A value too many or too few is an error. */
export function packUniforms(
  op: string,
  shader: string,
  fields: readonly UniformField[],
  values: Readonly<Record<string, number>> = {},
): ArrayBuffer {
  const expected = (): string => `expected ${fields.map(({ name }) => name).join(', ') || 'none'}`;
  for (const name of Object.keys(values)) {
    if (fields.some((field) => field.name === name)) continue;
    throw new EvenkeelError('KERNEL', `shader ${shader} has no uniform ${name}; ${expected()}`, { op, argument: name });
  }
  // Uniform buffers come in multiples of 16 bytes.
  const buffer = new ArrayBuffer(Math.max(16, Math.ceil(fields.length / 4) * 16));
  const view = new DataView(buffer);
  for (const [at, { name, type }] of fields.entries()) {
    const value = values[name];
    if (typeof value !== 'number') {
      throw new EvenkeelError('KERNEL', `the plan gives no value for uniform ${name} of shader ${shader}; ${expected()}`, {
        op,
        argument: name,
      });
    }
    if (type === 'f32') view.setFloat32(4 * at, value, true);
    else if (type === 'i32') view.setInt32(4 * at, value, true);
    else view.setUint32(4 * at, value, true);
  }
  return buffer;
}
