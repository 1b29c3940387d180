// The scenarios in a Worker: answers any message with the observations.
import { loss, scenario } from './scenario.ts';

async function observe(): Promise<unknown> {
  return { scenario: await scenario(), loss: await loss() };
}

addEventListener('message', () => {
  observe().then(postMessage, (error: unknown) => postMessage({ error: String(error) }));
});
