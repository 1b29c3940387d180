import { use } from '@evenkeel/core';
import { norms } from './plugin.ts';

use(norms);
