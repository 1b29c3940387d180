// Lets Node find a WebGPU adapter on machines without a GPU: the software driver that Debian's chromium brings.
// Import this first: the driver is chosen when Dawn loads.
import { existsSync } from 'node:fs';

const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(driver)) process.env.VK_DRIVER_FILES ??= driver;
