import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cpuRunner } from '../test/cpu-runner.ts';
import { rejection } from '../test/failure.ts';
import { owner, squareOp, wasmProduct, wgslProduct } from '../test/ops.ts';
import { backend, compile, EvenkeelError, unregister, use, type AnyOp, type Kernel, type Plugin } from './index.ts';

const bad = new Set<Kernel>();
const seen: Kernel[] = [];
let plugin: Plugin;

beforeEach(async () => {
  plugin = cpuRunner(() => [], {
    compile: async (op, kernel) => {
      seen.push(kernel);
      if (bad.has(kernel)) throw new EvenkeelError('WGSL', 'line 3:7: no such thing', { op });
    },
  });
  use(plugin);
  await backend('cpu');
});
afterEach(() => {
  unregister([plugin, owner]);
  bad.clear();
  seen.length = 0;
});

test('compiles every kernel of the running kind, of ops and plugins, replacements too', async () => {
  const [own, other, replacement] = [wasmProduct(), wgslProduct(), wasmProduct()];
  const op = squareOp({ kernels: () => [own, other] }) as AnyOp;
  const faster = { name: '@test/faster', version: '1.0.0', kernels: [{ op, kernel: replacement as Kernel }] };
  use(faster);
  await compile([op]);
  expect(seen).toEqual([replacement, own]);
  seen.length = 0;
  unregister(faster);
  await compile({ ...owner, ops: [op] });
  await compile(owner);
  expect(seen).toEqual([own]);
});

test('rejects with what fails: one error as it is, several in one', async () => {
  const [first, second] = [wasmProduct(), wasmProduct()];
  const ops = [squareOp({ kernels: () => [first] }), squareOp({ kernels: () => [second, wasmProduct()] })] as AnyOp[];
  bad.add(first as Kernel);
  const name = ops[0]!.definition.name;
  expect(await rejection(compile(ops))).toMatchObject({ code: 'WGSL', op: name, message: `${name}: line 3:7: no such thing` });
  bad.add(second as Kernel);
  const both = await rejection(compile(ops));
  expect(both.message).toBe(
    `compile: 2 kernels do not compile:\n${ops.map((op) => `${op.definition.name}: line 3:7: no such thing`).join('\n')}`,
  );
  expect((both.cause as AggregateError).errors).toHaveLength(2);
  expect(seen).toHaveLength(6);
});

test('has nothing to do where no runner compiles', async () => {
  unregister(plugin);
  await compile([squareOp() as AnyOp]);
  expect(seen).toEqual([]);
});
