// tfjs-core registers its gradients in a module that Node cannot import (ESM without extensions), and that costs bundlers' dev servers
// hundreds of requests. Bundled once, it loads in milliseconds; registries and engine are globals, so any copy serves.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { rolldown } from 'rolldown';

const input = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/dist/register_all_gradients.js');
const build = await rolldown({ input, platform: 'node', logLevel: 'silent', treeshake: true });
const { output } = await build.generate({ format: 'esm', minify: true });
const code = `// TensorFlow.js' gradients, bundled from @tensorflow/tfjs-core (Apache-2.0, Google LLC). Generated.\n${output[0].code}`;
const target = 'src/gradients.generated.js';
if (!existsSync(target) || readFileSync(target, 'utf8') !== code) writeFileSync(target, code);
