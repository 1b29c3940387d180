import type { KernelCall, WasmInvocation } from '@evenkeel/core';

/** How a WASM kernel gets parameters that the caller may leave out. */
export interface Parameters {
  /** Their arguments, in order. */
  readonly args: readonly string[];
  /** Stand-ins for those left out, and the calls that fill them: kernels then need one loop only. */
  readonly scratch: Readonly<Record<string, number>>;
  readonly fills: readonly WasmInvocation[];
}

/** Parameters of `count` float32 each, given with what an absent one stands for, such as `{ gamma: 1, beta: 0 }`. The module exports `fill`. */
export function parameters({ inputs }: Pick<KernelCall, 'inputs'>, count: number, neutral: Readonly<Record<string, number>>): Parameters {
  const args: string[] = [];
  const scratch: Record<string, number> = {};
  const fills: WasmInvocation[] = [];
  for (const [name, value] of Object.entries(neutral)) {
    if (inputs[name] !== undefined) {
      args.push(name);
      continue;
    }
    const standIn = `neutral ${name}`;
    args.push(standIn);
    scratch[standIn] = 4 * count;
    fills.push({ export: 'fill', args: [standIn, count, value] });
  }
  return { args, scratch, fills };
}
