// The scenario in a Worker: gets the paths, answers with the observations.
import { scenario } from './scenario.ts';

addEventListener('message', ({ data: paths }: MessageEvent<Record<string, string>>) => {
  scenario({ paths }).then(postMessage, (error: unknown) => postMessage({ error: String(error) }));
});
