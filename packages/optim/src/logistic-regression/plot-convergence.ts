import { EvenkeelError, expect } from '@evenkeel/core';
import type { History } from './report.ts';

export interface PlotConvergenceOptions {
  /** What makes the elements: the page's `document` (default), or in Node that of a DOM library such as linkedom. */
  readonly document?: Document;
  /** Pixels. Default 640. */
  readonly width?: number;
  /** Pixels. Default 320. */
  readonly height?: number;
}

const op = 'plotConvergence';
const COLORS = ['#a3a3a3', '#2563eb', '#16a34a', '#d97706'];

async function loadPlot(): Promise<typeof import('@observablehq/plot')> {
  try {
    return await import('@observablehq/plot');
  } catch (cause) {
    const message = '@observablehq/plot cannot be loaded; npm install @observablehq/plot';
    throw new EvenkeelError('MISSING_PEER', message, { op, cause });
  }
}

/**
 * Draws how many samples are on the wrong side after each step, the iterations on a logarithmic axis, a line for each history, as the text of
 * an SVG. A line ends where its training did: on the ground, if it separated.
 *
 * @param histories - by the name that stands beside the line, the first in grey: those of a report's `problems`
 * @throws EvenkeelError MISSING_PEER without `@observablehq/plot`, INVALID_ARGUMENT without a document or histories
 *
 * @example
 * import { parseHTML } from 'linkedom';
 * const svg = await plotConvergence({ gd: a.problems[0].history, normalized: b.problems[0].history }, { document: parseHTML('<body>').document });
 */
export async function plotConvergence(histories: Readonly<Record<string, History>>, options: PlotConvergenceOptions = {}): Promise<string> {
  const { document = globalThis.document as Document | undefined, width = 640, height = 320 } = options;
  if (document === undefined) {
    const message = "there is none in Node: give that of a DOM library, for example `document: parseHTML('<body>').document` with linkedom";
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'document' });
  }
  const names = Object.keys(histories);
  expect(names.length > 0, op, 'histories', 'at least one history by name', histories);
  // The start, at zero, has all samples on the wrong side, and no place on a logarithmic axis.
  const points = names.flatMap((name) =>
    histories[name]!.misclassified.flatMap((misclassified, iteration) => (iteration === 0 ? [] : [{ name, iteration, misclassified }])),
  );
  const Plot = await loadPlot();
  const marks = { x: 'iteration', y: 'misclassified', stroke: 'name' } as const;
  const plot = Plot.plot({
    document,
    width,
    height,
    marginLeft: 64,
    marginRight: 112,
    x: { type: 'log', label: 'iteration', grid: true },
    y: { type: 'symlog', label: 'samples on the wrong side', grid: true },
    color: { domain: names, range: names.map((_, i) => COLORS[i % COLORS.length]!) },
    marks: [
      Plot.line(points, { ...marks, curve: 'step-after' }),
      Plot.text(points, Plot.selectLast({ ...marks, stroke: null, fill: 'name', z: 'name', text: 'name', textAnchor: 'start', dx: 6 })),
    ],
  });
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return plot.outerHTML;
}
