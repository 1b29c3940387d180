/** Lines are broken here, so that the narrowest usual terminal shows them whole. */
export const WIDTH = 80;

/**
 * Breaks a text into lines at spaces; words longer than a line stand alone.
 *
 * @param indent - stands before every line but the first, which the caller may have begun
 */
export function wrap(text: string, { width = WIDTH, indent = '' }: { width?: number; indent?: string } = {}): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${indent}`);
}

/** Rows in aligned columns. Columns from `right` on are numbers, and flush right. */
export function table(rows: readonly (readonly string[])[], { right = Infinity, indent = '  ' } = {}): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map((row) => {
      const cells = row.map((cell, i) => (i >= right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
      return `${indent}${cells.join('   ')}`.trimEnd();
    })
    .join('\n');
}

/** 12345 as 12,345. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** A duration for people: 0.042 ms, 3.1 ms, 214 ms. */
export function milliseconds(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2)} ms`;
}

/** A ratio for people: 1.42 x, 13.5 x, 120 x. */
export function ratio(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} x`;
}
