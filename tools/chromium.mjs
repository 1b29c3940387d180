import { existsSync } from 'node:fs';

/** The Chromium to test in: the one that CHROMIUM names, else Debian's; undefined where it is not there. */
export const chromium = [process.env.CHROMIUM ?? '/usr/bin/chromium'].find((path) => existsSync(path));

/** Headless, with WebGPU on the software adapter that Chromium brings. */
export const chromiumArguments = [
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

/** The software Vulkan driver that Debian's chromium brings, for WebGPU in Node; undefined where there is none. */
export const swiftShader = ['/usr/lib/chromium/vk_swiftshader_icd.json'].find((path) => existsSync(path));
