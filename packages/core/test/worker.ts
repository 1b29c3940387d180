// The scenario in a browser's Worker: answers any message with the observations.
import '../src/register-gradients.ts';
import { scenario } from './scenario.ts';

addEventListener('message', () => {
  scenario().then(postMessage, (error: unknown) => postMessage({ error: String(error) }));
});
