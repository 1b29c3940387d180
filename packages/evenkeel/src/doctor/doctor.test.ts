import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Style } from '../terminal/colour.ts';
import { styleFor } from '../terminal/colour.ts';
import { doctor, type DoctorReport } from './doctor.ts';
import { printDoctor } from './print.ts';

const plain: Style = styleFor(Object.create({ isTTY: false }));

describe('doctor', () => {
  it('tells the versions that are installed', async () => {
    const { evenkeel, tensorflow, machine } = await doctor();
    for (const folder of ['evenkeel', 'core', 'backend-wasm', 'backend-webgpu', 'norms', 'datasets']) {
      const { name, version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../..', folder, 'package.json'), 'utf8'));
      expect(evenkeel[name]).toBe(version);
    }
    expect(tensorflow['@tensorflow/tfjs-core']).toBe('4.22.0');
    expect(machine.node).toBe(process.versions.node);
    expect(machine.v8).toBe(process.versions.v8);
  });

  it('takes the first backend that runs well, and says of each that does not what to do', async () => {
    const { backends, auto, missing, wasm } = await doctor();
    expect(backends.map(({ name }) => name)).toEqual(['webgpu', 'wasm', 'cpu']);
    const first = backends.findIndex(({ available, preferred }) => available && preferred);
    expect(auto.name).toBe(backends[first]!.name);
    expect(auto.passedOver.map(({ name }) => name)).toEqual(backends.slice(0, first).map(({ name }) => name));
    for (const { name } of backends.filter(({ available }) => !available)) {
      expect(missing.find(({ what }) => what.startsWith(name))?.remedy).toBeTruthy();
    }
    expect(wasm.simd).toBe(true);
    expect(missing.some(({ what }) => what.startsWith('relaxed SIMD'))).toBe(!wasm.relaxedSimd);
  });
});

const report: DoctorReport = {
  evenkeel: { evenkeel: '1.2.3' },
  tensorflow: { '@tensorflow/tfjs-core': '4.22.0' },
  machine: { node: '20.19.0', v8: '11.3', platform: 'linux x64', processor: 'a processor', parallelism: 2 },
  wasm: { simd: true, relaxedSimd: false, threads: true },
  backends: [
    {
      name: 'webgpu',
      available: false,
      preferred: false,
      detail: "WebGPU in Node needs the package 'webgpu'",
      remedy: 'npm install webgpu',
    },
    { name: 'wasm', available: true, preferred: true, detail: 'WebAssembly with SIMD kernels, one thread', features: ['simd'] },
    { name: 'cpu', available: true, preferred: true, detail: 'plain JavaScript' },
  ],
  auto: { name: 'wasm', detail: 'WebAssembly', passedOver: [{ name: 'webgpu', reason: 'is not there' }] },
  missing: [{ what: `webgpu: ${'needs a package that is not installed; '.repeat(4)}`, remedy: 'npm install webgpu' }],
};

describe('printDoctor', () => {
  it('marks the backend that runs, and tells what is missing with its remedy', () => {
    const lines = printDoctor(report, plain).split('\n');
    expect(lines.filter((line) => line.includes('>'))).toEqual(['  > wasm    WebAssembly with SIMD kernels, one thread (simd)']);
    expect(lines).toContain('  Takes wasm: the best there is here without webgpu.');
    expect(lines.slice(lines.indexOf('Missing'))).toContain('    npm install webgpu');
  });

  it('fits 80 columns and has no colours off a terminal', () => {
    const text = printDoctor(report, plain);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).not.toContain('\u001b');
  });
});
