// Lets Node find a WebGPU adapter on machines without a GPU: the software driver that Debian's chromium brings.
// Import this first: the driver is chosen when Dawn loads.
import { swiftShader } from './chromium.mjs';

if (swiftShader !== undefined) process.env.VK_DRIVER_FILES ??= swiftShader;
