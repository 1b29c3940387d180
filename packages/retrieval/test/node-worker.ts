import { parentPort } from 'node:worker_threads';
import { scenario } from './scenario.ts';

parentPort!.postMessage(await scenario());
