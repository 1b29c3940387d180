import type { WriteStream } from 'node:tty';

/** Marks parts of a text for the eye; without colour the text itself. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

function wrapped(open: number, close: number): (text: string) => string {
  return (text) => `\u001b[${open}m${text}\u001b[${close}m`;
}

const same = (text: string): string => text;

const PLAIN: Style = { bold: same, dim: same, good: same, bad: same };

const COLOURED: Style = { bold: wrapped(1, 22), dim: wrapped(2, 22), good: wrapped(32, 39), bad: wrapped(31, 39) };

/** The style for a stream: coloured on a terminal that can, unless NO_COLOR says otherwise (https://no-color.org). */
export function styleFor(stream: WriteStream): Style {
  return stream.isTTY && stream.hasColors() ? COLOURED : PLAIN;
}
