import { expect, it } from 'vitest';
import { checkTour } from '../../test/check-tour.ts';

it('learns on webgpu, alike with both norms, and loads what it saved bit by bit', async () => {
  expect((await checkTour('webgpu', { steps: 3, digits: 200 })).engines).toBeUndefined();
});
