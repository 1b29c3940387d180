import type { Owner } from '@evenkeel/core';
import { version } from './version.ts';

/** Who the ops and kernels of this package belong to, for the registry. */
export const owner: Owner = { name: '@evenkeel/optim', version };
