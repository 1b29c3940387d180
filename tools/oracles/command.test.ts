import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isTensor, type Adapter, type Adapters, type Case, type OracleTensor } from './adapter.ts';
import { main, usage, UsageError, type World } from './command.ts';

let folder: string;
let printed: string[];
let started: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oracles-'));
  printed = [];
  started = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function twice(value: unknown): OracleTensor {
  const { shape, data } = value as OracleTensor;
  return { shape, data: Float64Array.from(data, (x) => 2 * x) };
}

/** y = 2 x, and dx = 2 dy where gradients are wanted. */
const double: Adapter = {
  claims: ({ params }) => params['op'] === 'double',
  run: ({ inputs, wanted }) =>
    Promise.resolve({ outputs: { y: twice(inputs['x']) }, ...(wanted.grads['dx'] && { grads: { dx: twice(inputs['dy']) } }) }),
};
const byKeys: Adapter = {
  claims: ({ params, inputs, outputs }) => params['op'] === undefined && 'words' in inputs && 'count' in outputs,
  run: ({ inputs }) => Promise.resolve({ outputs: { count: (inputs['words'] as string[]).length } }),
};

function run(args: string[], adapters: Adapters = { doubling: [double, byKeys] }, world: Partial<World> = {}): Promise<number> {
  return main(args, {
    root: folder,
    adapters,
    backends: [{ name: 'cpu' }, { name: 'wasm' }, { name: 'webgpu', missing: 'no adapter' }],
    start: (name) => Promise.resolve(started.push(name)),
    print: (text) => printed.push(text),
    ...world,
  });
}

const tensor = (data: number[], shape = [data.length]): { shape: number[]; data: number[] } => ({ shape, data });
const good = {
  name: 'twice',
  params: { op: 'double' },
  inputs: { x: tensor([1, 2]), dy: tensor([1, 0]) },
  outputs: { y: tensor([2, 4]) },
  grads: { dx: tensor([2, 0]) },
  tolerance: 1e-6,
};
const words = { name: 'words', inputs: { words: ['a', 'b'] }, outputs: { count: 2 }, tolerance: 0 };

function write(cases: unknown[], name = 'doubling.json'): void {
  writeFileSync(join(folder, name), JSON.stringify({ cases }));
}

test('runs every case on every backend that is there, a line each', async () => {
  write([good, words]);
  expect(await run([folder])).toBe(0);
  expect(started).toEqual(['cpu', 'wasm']);
  expect(printed).toEqual([
    'left out: webgpu, no adapter',
    'passed    cpu doubling/twice: all equal, error / tolerance 0.00',
    'passed    cpu doubling/words: all equal, error / tolerance 0.00',
    'passed    wasm doubling/twice: all equal, error / tolerance 0.00',
    'passed    wasm doubling/words: all equal, error / tolerance 0.00',
    '4 passed, 0 failed, 0 unclaimed',
  ]);
});

test('a wrong value fails, and the line says which and by how much', async () => {
  write([{ ...good, outputs: { y: tensor([2, 4.00001]) } }, words]);
  expect(await run([folder, '--backend', 'cpu'])).toBe(1);
  expect(started).toEqual(['cpu']);
  expect(printed[0]).toBe('failed    cpu doubling/twice: worst outputs.y[1], error / tolerance 2.00 (4, expected 4.00001)');
  expect(printed.at(-1)).toBe('1 passed, 1 failed, 0 unclaimed');
});

test.each([
  ['a key is missing', { outputs: { y: tensor([2, 4]), z: 1 } }, 'worst outputs.z, error / tolerance infinite (missing)'],
  ['a key is too many', { outputs: {} }, 'worst outputs.y, error / tolerance infinite (is there, expected no such key)'],
  ['a gradient is missing', { grads: { dx: tensor([2, 0]), dgamma: 1 } }, 'worst grads.dgamma'],
  ['the shape is another', { outputs: { y: tensor([2, 4], [2, 1]) } }, 'expected shape [2,1]'],
])('fails where %s', async (_, change, message) => {
  write([{ ...good, ...change }]);
  expect(await run([folder])).toBe(1);
  expect(printed.join('\n')).toContain(message);
});

test('a NaN that an adapter computes fails', async () => {
  const nan: Adapter = { ...double, run: () => Promise.resolve({ outputs: { y: { shape: [2], data: Float64Array.of(2, Number.NaN) } } }) };
  write([{ ...good, grads: undefined }]);
  expect(await run([folder], { doubling: [nan] })).toBe(1);
  expect(printed[1]).toContain('worst outputs.y[1], error / tolerance infinite (NaN, expected 4)');
});

test('an adapter that throws fails its case only', async () => {
  const failing: Adapter = { ...double, run: () => Promise.reject(new Error('out of luck')) };
  write([good, words]);
  expect(await run([folder, '--backend', 'cpu'], { doubling: [failing, byKeys] })).toBe(1);
  expect(printed.slice(0, 2)).toEqual([
    'failed    cpu doubling/twice: out of luck',
    'passed    cpu doubling/words: all equal, error / tolerance 0.00',
  ]);
});

test('exact keys and comparisons of the adapter hold', async () => {
  const rough: Adapter = { ...byKeys, run: () => Promise.resolve({ outputs: { count: 2.4, rank: 1 } }) };
  write([{ ...words, outputs: { count: 2, rank: 1.0001 }, tolerance: 0.5 }]);
  expect(await run([folder], { doubling: [rough] })).toBe(0);
  expect(await run([folder], { doubling: [{ ...rough, exact: ['rank'] }] })).toBe(1);
  expect(await run([folder], { doubling: [{ ...rough, compare: { count: { abs: 0.1 } } }] })).toBe(1);
});

test('count_tolerance is absolute and for counts', async () => {
  const counting: Adapter = { claims: () => true, run: () => Promise.resolve({ outputs: { counts: 103 } }) };
  const oracle = { name: 'steps', inputs: {}, outputs: { counts: 100 }, tolerance: 0 };
  write([{ ...oracle, count_tolerance: 3 }]);
  expect(await run([folder], { doubling: [counting] })).toBe(0);
  write([{ ...oracle, count_tolerance: 2 }]);
  expect(await run([folder], { doubling: [counting] })).toBe(1);
});

describe('claims', () => {
  test('two are a failure', async () => {
    write([good]);
    expect(await run([folder], { doubling: [double, byKeys, double] })).toBe(1);
    expect(printed).toContain('failed    doubling/twice: adapters 1 and 3 of 3 for doubling claim it, expected one');
    expect(started).toEqual([]);
  });

  test('none is a failure, unless that is allowed', async () => {
    write([good, { ...good, name: 'other', params: { op: 'treble' } }]);
    write([good], 'constructor.json');
    expect(await run([folder])).toBe(1);
    expect(printed).toContain('unclaimed doubling/other');
    expect(printed).toContain('unclaimed constructor/twice');
    expect(await run([folder, '--allow-unclaimed'])).toBe(0);
    expect(printed.at(-1)).toBe('2 passed, 0 failed, 2 unclaimed');
  });

  test('see neither name nor results', async () => {
    let seen: object = {};
    const curious: Adapter = { ...double, claims: (oracle) => ((seen = oracle), true) };
    write([{ ...good, outputs: { y: tensor([2, 4]), list: [{ a: 1 }, 'b'] } }]);
    await run([folder], { doubling: [curious] });
    expect(Object.keys(seen).sort()).toEqual(['grads', 'inputs', 'outputs', 'params']);
    expect(seen).toMatchObject({ outputs: { y: { shape: [2] }, list: [{ a: null }, null] }, grads: { dx: { shape: [2] } } });
    expect(JSON.stringify((seen as Case['wanted']).outputs)).not.toContain('data');
  });

  test('that throw are a failure of the case', async () => {
    const throwing: Adapter = {
      ...double,
      claims: () => {
        throw new Error('no idea');
      },
    };
    write([good]);
    expect(await run([folder], { doubling: [throwing] })).toBe(1);
    expect(printed).toContain('failed    doubling/twice: no idea');
  });
});

test('an adapter gets float64 tensors at any depth, raw JSON elsewhere, and what is wanted without values', async () => {
  let given: Case | undefined;
  const curious: Adapter = {
    claims: () => true,
    run: (oracle, { backend }) => {
      given = oracle;
      return Promise.resolve({ outputs: { backend } });
    },
  };
  write([
    {
      name: 'n',
      inputs: { deep: [{ t: tensor([0.1]) }], round: { shape: 'round', data: [1] } },
      outputs: { backend: 'cpu' },
      tolerance: 0,
    },
  ]);
  expect(await run([folder, '--backend', 'cpu'], { doubling: [curious] })).toBe(0);
  const deep = (given!.inputs['deep'] as { t: OracleTensor }[])[0]!.t;
  expect(isTensor(deep) && deep.data instanceof Float64Array).toBe(true);
  expect(given).toMatchObject({
    name: 'n',
    params: {},
    inputs: { round: { shape: 'round', data: [1] } },
    wanted: { outputs: { backend: null }, grads: {} },
  });
});

describe('--only', () => {
  beforeEach(() => {
    write([good, words, { ...good, name: 'other', params: { op: 'treble' } }]);
    write([good], 'else.json');
  });

  test('takes a file, or an operation of it', async () => {
    expect(await run([folder, '--only', 'doubling/double', '--backend', 'cpu'])).toBe(0);
    expect(printed.at(-1)).toBe('1 passed, 0 failed, 0 unclaimed');
    expect(await run([folder, '--only', 'else'])).toBe(1);
    expect(printed.at(-1)).toBe('0 passed, 0 failed, 1 unclaimed');
  });

  test('that fits nothing is an error', async () => {
    await expect(run([folder, '--only', 'doubling/half'])).rejects.toThrow(new UsageError('--only doubling/half matches no case'));
  });
});

test('without a folder, those of all packages are run', async () => {
  const own = join(folder, 'packages/some/test/data/oracles');
  mkdirSync(own, { recursive: true });
  mkdirSync(join(folder, 'packages/other'));
  writeFileSync(join(own, 'doubling.json'), JSON.stringify({ cases: [good] }));
  expect(await run(['--backend', 'wasm'])).toBe(0);
  expect(printed).toEqual(['passed    wasm doubling/twice: all equal, error / tolerance 0.00', '1 passed, 0 failed, 0 unclaimed']);
});

describe('bad calls', () => {
  test.each([
    [['--backend', 'webgl'], "--backend is 'webgl', expected one of cpu, wasm, webgpu"],
    [['--backend', 'webgpu'], '--backend webgpu is not available: no adapter'],
    [['--faster'], "Unknown option '--faster'"],
    [['--only'], 'argument missing'],
    [['a', 'b'], '2 folders, expected one'],
  ])('%j', async (args, message) => {
    await expect(run(args)).rejects.toThrow(message);
  });

  test('a folder that is not there, or empty', async () => {
    await expect(run([join(folder, 'nowhere')])).rejects.toThrow('no such file or directory');
    await expect(run([folder])).rejects.toThrow(`no .json file in ${folder}`);
  });

  test('--help says what there is', async () => {
    expect(await run(['--help'])).toBe(0);
    expect(printed).toEqual([usage]);
  });
});

describe('files that anybody may have written', () => {
  const failing = async (text: string): Promise<string> => {
    writeFileSync(join(folder, 'doubling.json'), text);
    write([good], 'zzz.json');
    expect(await run([folder, '--allow-unclaimed'])).toBe(1);
    // The others run all the same.
    expect(printed).toContain('unclaimed zzz/twice');
    return printed.join('\n');
  };

  test.each([
    ['nothing', '', 'doubling.json: Unexpected end of JSON input'],
    ['no JSON', '\u0000\u0001{', 'doubling.json: Unexpected token'],
    ['NaN', '{"cases":[{"tolerance":NaN}]}', 'doubling.json: Unexpected token'],
    ['a list', '[]', 'expected an object with a list of cases'],
    ['null', 'null', 'expected an object with a list of cases'],
    ['no cases', '{"cases":{}}', 'expected an object with a list of cases'],
    ['an empty list', '{"cases":[]}', 'expected at least one case'],
  ])('%s', async (_, text, message) => {
    expect(await failing(text)).toContain(message);
  });

  test.each([
    ['no object', 5, 'doubling/case 0: it is 5, expected an object'],
    ['no name', { ...good, name: undefined }, 'doubling/case 0: name is undefined, expected a string'],
    ['no tolerance', { ...good, tolerance: undefined }, 'doubling/twice: tolerance is undefined, expected a number >= 0'],
    ['a negative tolerance', { ...good, tolerance: -1 }, 'tolerance is -1'],
    ['a tolerance in words', { ...good, tolerance: '1e-5' }, 'tolerance is "1e-5"'],
    ['a count tolerance in words', { ...good, count_tolerance: 'few' }, 'count_tolerance is "few"'],
    ['no inputs', { ...good, inputs: undefined }, 'inputs is undefined, expected an object'],
    ['a list of outputs', { ...good, outputs: [] }, 'outputs is [], expected an object'],
    ['too few numbers', { ...good, inputs: { x: tensor([1], [2]) } }, 'inputs.x has 1 numbers, expected 2 for shape [2]'],
    ['a huge shape', { ...good, inputs: { x: tensor([1], [1e9, 1e9]) } }, 'inputs.x has 1 numbers, expected 1000000000000000000 for shape'],
    ['a negative length', { ...good, inputs: { x: tensor([1], [-1, -1]) } }, 'inputs.x has shape [-1,-1], expected lengths >= 0'],
    ['a length in words', { ...good, inputs: { x: { shape: ['1'], data: [1] } } }, 'inputs.x has shape ["1"]'],
    [
      'a string among the numbers',
      { ...good, outputs: { y: [tensor(['1' as never])] } },
      'outputs.y[0] holds "1" at 0, expected finite numbers',
    ],
    ['nested data', { ...good, outputs: { y: { shape: [1, 1], data: [[1]] } } }, 'outputs.y holds [1] at 0, expected finite numbers'],
  ])('a case with %s', async (_, oracle, message) => {
    expect(await failing(JSON.stringify({ cases: [oracle] }))).toContain(message);
  });

  test('a number beyond float64', async () => {
    const text = JSON.stringify({ cases: [{ ...good, outputs: { y: tensor([12345]) } }] }).replace('12345', '1e999');
    expect(await failing(text)).toContain('outputs.y holds Infinity at 0, expected finite numbers');
  });

  test('nested beyond the stack', async () => {
    const depth = 200_000;
    const text = JSON.stringify({ cases: [{ ...good, outputs: { y: 'deep' } }] }).replace('"deep"', '['.repeat(depth) + ']'.repeat(depth));
    expect(await failing(text)).toContain('Maximum call stack size exceeded');
  });

  test('a name with control sequences is printed harmlessly', async () => {
    write([{ ...good, name: '\u001b[2Jgone\nnext' }]);
    await run([folder, '--backend', 'cpu']);
    expect(printed[0]).toBe(String.raw`passed    cpu doubling/"\u001b[2Jgone\nnext": all equal, error / tolerance 0.00`);
  });

  test('__proto__ among the keys changes nothing else', async () => {
    const text = JSON.stringify({ cases: [good] }).replace('"y":', '"__proto__":');
    expect(await failing(text)).toContain('worst outputs.y, error / tolerance infinite (is there, expected no such key)');
    expect(({} as Record<string, unknown>)['shape']).toBeUndefined();
  });
});
