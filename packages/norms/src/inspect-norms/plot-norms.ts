import { EvenkeelError } from '@evenkeel/core';
import type { NormInspection, NormsReport } from './inspect-norms.ts';

export interface PlotNormsOptions {
  /** What makes the elements: the page's `document` (default), or in Node that of a DOM library such as linkedom. */
  document?: Document;
  /** Pixels. Default 640. */
  width?: number;
}

type Side = 'input' | 'output';

/** What one of the plots shows of a norm. */
interface Figure {
  readonly title: string;
  readonly of: (norm: NormInspection, side: Side) => number | undefined;
  /** Whether it is drawn on a logarithmic axis, where all its values are above 0. */
  readonly logarithmic?: boolean;
}

const FIGURES: readonly Figure[] = [
  { title: 'mean', of: (norm, side) => norm[side].mean },
  { title: 'standard deviation', of: (norm, side) => Math.sqrt(norm[side].variance), logarithmic: true },
  { title: 'largest value', of: (norm, side) => norm[side].largest, logarithmic: true },
  { title: 'outliers, percent', of: (norm, side) => 100 * norm[side].outliers },
  { title: 'NaN and infinity, percent', of: (norm, side) => 100 * norm[side].nonFinite },
  { title: 'dead channels', of: (norm, side) => norm[side].deadChannels.length },
  { title: 'effective rank', of: (norm, side) => norm[side].effectiveRank },
  { title: 'length of the gradient', of: ({ gradients }, side) => gradients?.[side], logarithmic: true },
];

const COLORS: Readonly<Record<Side, string>> = { input: '#a3a3a3', output: '#2563eb' };
const HEADER = 24;
const HEIGHT = 110;
const SVG = 'http://www.w3.org/2000/svg';

const op = 'plotNorms';

async function loadPlot(): Promise<typeof import('@observablehq/plot')> {
  try {
    return await import('@observablehq/plot');
  } catch (cause) {
    const message = '@observablehq/plot cannot be loaded; npm install @observablehq/plot';
    throw new EvenkeelError('MISSING_PEER', message, { op, cause });
  }
}

/** Names of the calls, each once. */
function labelsOf({ norms }: NormsReport): string[] {
  const several = new Set(norms.filter(({ call }) => call > 0).map(({ layer }) => layer));
  return norms.map(({ layer, call }) => (several.has(layer) ? `${layer} #${call + 1}` : layer));
}

/**
 * Draws what `inspectNorms` found, with Observable Plot, as the text of an SVG: a figure for each quantity, from the first layer to
 * the last, what arrives at a norm in grey and what leaves it in blue. Quantities that are 0 everywhere, and gradients where there was no
 * loss, are left out.
 *
 * @throws EvenkeelError MISSING_PEER without `@observablehq/plot`, INVALID_ARGUMENT without a document
 *
 * @example
 * import { parseHTML } from 'linkedom';
 * const svg = await plotNorms(await inspectNorms(model, batch), { document: parseHTML('<body>').document });
 */
export async function plotNorms(report: NormsReport, options: PlotNormsOptions = {}): Promise<string> {
  const { document = globalThis.document as Document | undefined, width = 640 } = options;
  if (document === undefined) {
    const message = "there is none in Node: give that of a DOM library, for example `document: parseHTML('<body>').document` with linkedom";
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'document' });
  }
  const Plot = await loadPlot();
  const labels = labelsOf(report);
  const figures = FIGURES.map((figure) => ({
    ...figure,
    points: (['input', 'output'] as const).flatMap((side) =>
      report.norms.map((norm, i) => ({ layer: labels[i]!, side, value: figure.of(norm, side) ?? Number.NaN })),
    ),
  })).filter(({ points }) => points.some(({ value }) => Number.isFinite(value) && value !== 0));
  // Names stand under the last plot only, tilted.
  const foot = 12 + 5 * Math.max(...labels.map(({ length }) => length));
  const height = HEADER + HEIGHT * figures.length + foot;
  const svg = document.createElementNS(SVG, 'svg');
  for (const [name, value] of Object.entries({
    xmlns: SVG,
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    'font-family': 'sans-serif',
  })) {
    svg.setAttribute(name, String(value));
  }
  (['input', 'output'] as const).forEach((side, i) => {
    const text = document.createElementNS(SVG, 'text');
    for (const [name, value] of Object.entries({ x: 64 + 60 * i, y: 16, fill: COLORS[side], 'font-size': 12 }))
      text.setAttribute(name, String(value));
    text.textContent = side;
    svg.append(text);
  });
  figures.forEach(({ title, points, logarithmic = false }, i) => {
    const last = i === figures.length - 1;
    const marks = { x: 'layer', y: 'value', stroke: ({ side }: { side: Side }) => COLORS[side] } as const;
    const plot = Plot.plot({
      document,
      width,
      height: HEIGHT + (last ? foot : 0),
      marginLeft: 64,
      marginTop: 24,
      marginBottom: last ? foot : 8,
      x: { type: 'point', domain: labels, label: null, axis: last ? 'bottom' : null, tickRotate: -45 },
      y: { label: title, grid: true, ticks: 4, type: logarithmic && points.every(({ value }) => !(value <= 0)) ? 'log' : 'linear' },
      marks: [Plot.line(points, { ...marks, z: 'side' }), Plot.dot(points, { ...marks, r: 2.5 })],
    });
    plot.setAttribute('y', String(HEADER + HEIGHT * i));
    svg.append(plot);
  });
  return svg.outerHTML;
}
