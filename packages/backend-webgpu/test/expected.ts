// What scenario() and loss() must observe, in Node and in Chromium.
import { expect } from 'vitest';

const syntax = (op: string): unknown => expect.stringMatching(new RegExp(`^WGSL: ${op}: line 3:\\d+: .*expression.* \\(shader main\\)$`));
const both = (head: string, first: string, second: string): unknown =>
  expect.stringMatching(new RegExp(`^WGSL: ${head}:\n${first}: line 3:\\d+: .*\n${second}: line 3:\\d+: .*$`));
const type = (op: string): unknown => expect.stringMatching(new RegExp(`^WGSL: ${op}: line 3:\\d+: .*'bool' to 'f32' \\(shader main\\)$`));

const syncRead =
  'SYNC_READ: dataSync: a tensor of the webgpu backend cannot be read synchronously here. Use await t.data() in place of t.dataSync(); ' +
  'before the tensor goes to another backend, too';

export const expected = {
  name: 'webgpu',
  right: true,
  served: ['@test/webgpu/Mix kernel', '@test/webgpu/TwicePower kernel'],
  mixed: [
    [3, 6, 9, 12],
    [1, 2, 3, 4],
    [2, 3, 4, 5],
    [0, 1, 2, 3],
  ],
  left: [0, 0],
  variant: 8,
  shaders: ['subgroups'],
  // Mix reads x twice and writes two outputs, tfjs' add reads x twice and writes one, of 16 bytes each.
  counted: { dispatches: 2, bytesRead: 64, bytesWritten: 48 },
  time: { positive: true, named: true },
  moved: { back: [3, 4], dataSync: syncRead },
  large: true,
  errors: {
    first: syntax('Bad'),
    unhurt: [2, 3, 4, 3, 6, 9],
    poisoned: syntax('Bad'),
    again: syntax('Bad'),
    later: syntax('Bad'),
    both: both('2 errors on the GPU', 'Bad2', 'Worse'),
    second: type('Worse'),
    compiled: type('Bad3'),
    compiledBoth: both('compile: 2 kernels do not compile', 'Bad4', 'Bad5'),
    fine: 'nothing was thrown',
    deferred: 'NON_FINITE: Test: x is not finite',
    quiet: [2, 3, 4],
  },
};

const lost = (op: string): unknown =>
  expect.stringMatching(
    new RegExp(`^DEVICE_LOST: ${op}the WebGPU device is lost \\(.*\\), and with it what its tensors held, .*await backend\\('webgpu'\\)`),
  );

export const expectedLoss = {
  call: lost('GoodAfterLoss: '),
  read: lost(''),
  composed: lost(''),
  unchecked: lost(''),
  survives: [2, 3, 4],
  readAfter: lost(''),
  survivesAfter: [2, 3, 4],
  anew: [5],
  moved: [3, 4, 5],
};
