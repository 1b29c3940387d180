// Hands all backends to core, so that checkPlugin finds them. Import it first.
import '@tensorflow/tfjs-backend-cpu';
import '@evenkeel/core/register-gradients';
import { existsSync } from 'node:fs';
import { use } from '@evenkeel/core';
import { wasm } from '@evenkeel/backend-wasm';
import { webgpu } from '@evenkeel/backend-webgpu';

// The software driver that Debian's chromium brings, for machines without a GPU.
const software = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(software)) process.env['VK_DRIVER_FILES'] ??= software;

use([wasm(), webgpu({ allowSoftware: true })]);

/** On CI every backend must be there; elsewhere the report says which are not. */
export const listed: { backends?: readonly string[] } = process.env['CI'] === undefined ? {} : { backends: ['cpu', 'wasm', 'webgpu'] };
