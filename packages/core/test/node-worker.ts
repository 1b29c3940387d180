// The scenario in a Node worker thread: posts the observations.
import { parentPort } from 'node:worker_threads';
import '../src/register-gradients.node.ts';
import { scenario } from './scenario.ts';

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort!.postMessage(await scenario());
