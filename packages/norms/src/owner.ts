import type { Owner } from '@evenkeel/core';
import { version } from './version.ts';

/** Who these ops and layers belong to, for the registry. */
export const owner: Owner = { name: '@evenkeel/norms', version };
