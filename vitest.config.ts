import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { playwright } from '@vitest/browser-playwright';
import { chromium, chromiumArguments } from './tools/chromium.mjs';
import { testsOnWebGpu, testsThatLookAtPages } from './tools/machine.mjs';

// Packages are tested from their sources.
const conditions = ['@evenkeel/source', 'import', 'module', 'default'];
const tests = ['packages/*/src/**/*.test.ts', 'recipes/**/*.test.ts', 'bench/**/*.test.ts', 'tools/**/*.test.ts'];
const browserTests = ['packages/*/src/**/*.browser.test.ts'];
/** What npm test found out that this machine cannot run. */
const leftOut = [
  ...(process.env['EVENKEEL_WITHOUT'] === 'webgpu' ? testsOnWebGpu() : []),
  ...(chromium === undefined ? testsThatLookAtPages() : []),
];
const tfjs = ['core', 'core/dist/register_all_gradients.js', 'layers', 'backend-cpu', 'backend-wasm', 'backend-webgpu'];

/** The project that runs in headless Chromium; without a Chromium there is none, and tools/test.mjs says so. */
function browser(executablePath: string): TestProjectInlineConfiguration {
  return {
    resolve: { conditions: ['browser', ...conditions] },
    optimizeDeps: { include: tfjs.map((name) => `@tensorflow/tfjs-${name}`) },
    // Cross-origin isolated, as pages with WASM threads are.
    server: { headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' } },
    test: {
      name: 'browser',
      include: browserTests,
      testTimeout: 120_000,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath, args: chromiumArguments } }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { conditions: ['node', ...conditions] },
        ssr: { resolve: { conditions: ['node', ...conditions] } },
        test: {
          name: 'node',
          include: tests,
          exclude: ['**/node_modules/**', ...browserTests, ...leftOut],
          pool: 'forks',
          setupFiles: ['tools/dawn.ts', 'tools/fast-check.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      ...(chromium === undefined ? [] : [browser(chromium)]),
    ],
  },
});
