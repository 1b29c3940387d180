/** Shows what is going on, on standard error: one line that is overwritten in a terminal, a line each elsewhere. */
export interface Progress {
  /** A new stage: a line of its own where there is no terminal. */
  stage(text: string): void;
  /** How far the stage is: shown in a terminal only. */
  detail(text: string): void;
  /** Takes the line away, so that results can be printed. */
  clear(): void;
}

export function progressOn(stream: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  let stage = '';
  const overwrite = (text: string): void => void stream.write(`\r\u001B[K${text}`);
  if (stream.isTTY !== true) {
    return { stage: (text) => void stream.write(`${text}\n`), detail: () => undefined, clear: () => undefined };
  }
  return {
    stage: (text) => {
      stage = text;
      overwrite(text);
    },
    detail: (text) => overwrite(`${stage}: ${text}`),
    clear: () => overwrite(''),
  };
}
