import { existsSync } from 'node:fs';

/** The Chromium to test in, or undefined where there is none. */
export const chromium: string | undefined = [process.env.CHROMIUM, '/usr/bin/chromium'].find(
  (path) => path !== undefined && existsSync(path),
);

/** Headless, with WebGPU on the software adapter that Chromium brings. */
export const chromiumArguments: string[] = [
  '--no-sandbox',
  '--headless=new',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
