import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const program = `
  const { tellLeftOut } = await import('./machine.mjs');
  console.log(JSON.stringify(await tellLeftOut()));`;

/** What a machine says which has what `env` names: Chromium, a Vulkan driver. */
function tell(env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, CI: '', ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('a machine without Chromium', () => {
  it('names the tests in the browser as left out', () => {
    const { status, stdout } = tell({ CHROMIUM: '/nowhere/chromium' });
    expect(status).toBe(0);
    expect(stdout).toContain('No Chromium on this machine');
    expect(stdout).toContain(join('packages', 'backend-wasm', 'src', 'wasm.browser.test.ts'));
  });

  it('is a failure on CI', () => {
    const { status, stderr } = tell({ CHROMIUM: '/nowhere/chromium', CI: 'true' });
    expect(status).toBe(1);
    expect(stderr).toContain('CI is set');
  });
});

describe('a machine without a Vulkan driver', () => {
  it('names the tests that use it as left out', () => {
    const { stdout } = tell({ CHROMIUM: process.execPath, VK_DRIVER_FILES: '/nowhere/driver.json' });
    expect(stdout).toContain('No WebGPU adapter in Node');
    expect(stdout).toContain(join('packages', 'backend-webgpu', 'src', 'runner.test.ts'));
    expect(stdout).not.toContain('No Chromium');
  });
});
