import { EvenkeelError, expect } from '@evenkeel/core';
import type { HubnessReport } from './report.ts';

export interface PlotHubnessOptions {
  /** What makes the elements: the page's `document` (default), or in Node that of a DOM library such as linkedom. */
  document?: Document;
  /** Pixels. Default 640. */
  width?: number;
  /** Pixels. Default 320. */
  height?: number;
}

const op = 'plotHubness';
const COLORS = ['#a3a3a3', '#2563eb', '#16a34a', '#d97706'];

async function loadPlot(): Promise<typeof import('@observablehq/plot')> {
  try {
    return await import('@observablehq/plot');
  } catch (cause) {
    const message = '@observablehq/plot cannot be loaded; npm install @observablehq/plot';
    throw new EvenkeelError('MISSING_PEER', message, { op, cause });
  }
}

/** One point for each count that occurs: how many items have at least so many occurrences. */
function tail(name: string, { occurrences }: HubnessReport): { name: string; occurrences: number; items: number }[] {
  const sorted = Int32Array.from(occurrences).sort();
  const points: { name: string; occurrences: number; items: number }[] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i]! > 0 && sorted[i] !== sorted[i - 1]) points.push({ name, occurrences: sorted[i]!, items: sorted.length - i });
  }
  return points;
}

/**
 * Draws how many items are retrieved at least so often, on logarithmic axes, a line for each report, as the text of an SVG: where there are
 * hubs the line runs far to the right.
 *
 * @param reports - by the name that stands beside the line, the first in grey: `{ before, after }`
 * @throws EvenkeelError MISSING_PEER without `@observablehq/plot`, INVALID_ARGUMENT without a document or reports
 *
 * @example
 * import { parseHTML } from 'linkedom';
 * const svg = await plotHubness({ before, after }, { document: parseHTML('<body>').document });
 */
export async function plotHubness(reports: Readonly<Record<string, HubnessReport>>, options: PlotHubnessOptions = {}): Promise<string> {
  const { document = globalThis.document as Document | undefined, width = 640, height = 320 } = options;
  if (document === undefined) {
    const message = "there is none in Node: give that of a DOM library, for example `document: parseHTML('<body>').document` with linkedom";
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'document' });
  }
  const names = Object.keys(reports);
  expect(names.length > 0, op, 'reports', 'at least one report by name', reports);
  const points = names.flatMap((name) => tail(name, reports[name]!));
  const Plot = await loadPlot();
  const marks = { x: 'occurrences', y: 'items', stroke: 'name' } as const;
  const plot = Plot.plot({
    document,
    width,
    height,
    marginLeft: 64,
    marginRight: 96,
    x: { type: 'log', label: 'among the nearest of so many queries, or more', grid: true },
    y: { type: 'log', label: 'items', grid: true },
    color: { domain: names, range: names.map((_, i) => COLORS[i % COLORS.length]!) },
    marks: [
      Plot.line(points, { ...marks, curve: 'step-before' }),
      Plot.text(points, Plot.selectLast({ ...marks, stroke: null, fill: 'name', z: 'name', text: 'name', textAnchor: 'start', dx: 6 })),
    ],
  });
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return plot.outerHTML;
}
