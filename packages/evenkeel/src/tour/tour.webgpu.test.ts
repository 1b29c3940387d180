import { expect, it } from 'vitest';
import { checkTour } from '../../test/check-tour.ts';

it('learns on webgpu, alike with both norms, and loads what it saved bit by bit', async () => {
  expect((await checkTour('webgpu', { steps: 3, digits: 100 })).engines).toBeUndefined();
  // A software GPU on a busy machine takes its time.
}, 300_000);
