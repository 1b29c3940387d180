import '../dawn.ts';
import { backend, probeBackends } from '../../packages/core/src/index.ts';
import { backends } from '../test-backends.ts';
import { collectAdapters, findRoot } from './collect.ts';
import { main, usage, UsageError } from './command.ts';

const root = findRoot();
const probes = await probeBackends();

try {
  process.exitCode = await main(process.argv.slice(2), {
    root,
    adapters: await collectAdapters(root),
    backends: backends.map((name) => {
      const { available = false, detail = 'unknown', remedy } = probes.find((probe) => probe.name === name) ?? {};
      return { name, ...(!available && { missing: remedy === undefined ? detail : `${detail} (${remedy})` }) };
    }),
    start: backend,
    print: (text) => console.log(text),
  });
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`oracles: ${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
