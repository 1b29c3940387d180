import { styleFor } from '../terminal/colour.ts';
import type { Command } from './command.ts';

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Shows what this machine can do: versions, WASM, WebGPU, which backend is taken and why, what is missing and how to get it.',
  usage: '[--json]',
  options: { json: { help: 'print one JSON document instead' } },
  examples: [
    ['evenkeel doctor', 'for people'],
    ['evenkeel doctor --json', 'for programs, and for bug reports'],
  ],
  async run({ json }, _, { print }) {
    // Loaded only now: help needs no TensorFlow.js.
    const { doctor } = await import('../doctor/doctor.ts');
    const report = await doctor();
    if (json) print(JSON.stringify(report, undefined, 2));
    else {
      const { printDoctor } = await import('../doctor/print.ts');
      print(printDoctor(report, styleFor(process.stdout)));
    }
    return 0;
  },
};
