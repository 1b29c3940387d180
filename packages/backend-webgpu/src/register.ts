// One line for a program that wants nothing else said: import '@evenkeel/backend-webgpu/register'; await backend('webgpu').
import { use } from '@evenkeel/core';
import { webgpu } from './plugin.ts';

use(webgpu());
