// The page's side of the training worker.
import digits from '../../.cache/digits.bin?url';
import type { LabReply, LabRequest, StartRequest } from './protocol.ts';

export interface Lab {
  start(request: Omit<StartRequest, 'kind' | 'digits'>): void;
  send(request: Extract<LabRequest, { kind: 'stop' | 'resume' | 'classify' }>): void;
  digit(index: number): void;
  close(): void;
}

/** Starts a worker; `hear` is called with what it tells. */
export function openLab(hear: (reply: LabReply) => void): Lab {
  const worker = new Worker(new URL('./lab.worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<LabReply>) => hear(data));
  worker.addEventListener('error', ({ message }) => hear({ kind: 'failed', message: message || 'The worker could not be loaded.' }));
  const send = (request: LabRequest): void => worker.postMessage(request);
  const url = new URL(digits, location.href).href;
  return {
    start: (request) => send({ ...request, kind: 'start', digits: url }),
    send,
    digit: (index) => send({ kind: 'digit', digits: url, index }),
    close: () => worker.terminate(),
  };
}
