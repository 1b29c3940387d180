import { mul, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EvenkeelError } from '@evenkeel/core';
import { compandedLayersOf } from './compand.ts';
import { KINDS } from './kinds.ts';

export interface PlotCompanderOptions {
  /** What makes the elements: the page's `document` (default), or in Node that of a DOM library such as linkedom. */
  readonly document?: Document;
  /** Pixels. Default 640. */
  readonly width?: number;
  /** Pixels for each layer. Default 140. */
  readonly height?: number;
}

const op = 'plotCompander';
const BINS = 48;

async function loadPlot(): Promise<typeof import('@observablehq/plot')> {
  try {
    return await import('@observablehq/plot');
  } catch (cause) {
    const message = '@observablehq/plot cannot be loaded; npm install @observablehq/plot';
    throw new EvenkeelError('MISSING_PEER', message, { op, cause });
  }
}

/** Shares of values by intervals of equal length between -most and most. */
function histogram(layer: string, values: Float32Array, most: number) {
  const width = (2 * most) / BINS;
  const counts = Array.from({ length: BINS }, () => 0);
  for (const value of values) counts[Math.min(BINS - 1, Math.floor((value + most) / width))]! += 1;
  return counts.map((count, i) => ({ layer, from: i * width - most, to: (i + 1) * width - most, share: (100 * count) / values.length }));
}

/**
 * Draws how the weights of a model's companded layers are spread, a histogram a layer with the bounds beside it, as the text of an SVG.
 *
 * @throws EvenkeelError MISSING_PEER without `@observablehq/plot`, INVALID_ARGUMENT without a document, NOT_FOUND where the model has no companded layer
 *
 * @example
 * import { parseHTML } from 'linkedom';
 * const svg = await plotCompander(model, { document: parseHTML('<body>').document });
 */
export async function plotCompander(model: LayersModel, options: PlotCompanderOptions = {}): Promise<string> {
  const { document = globalThis.document as Document | undefined, width = 640, height = 140 } = options;
  if (document === undefined) {
    const message = "there is none in Node: give that of a DOM library, for example `document: parseHTML('<body>').document` with linkedom";
    throw new EvenkeelError('INVALID_ARGUMENT', message, { op, argument: 'document' });
  }
  const found = await Promise.all(
    compandedLayersOf(op, model).map(async ([layer, name]) => {
      const { a, w } = tidy(() => {
        const parts = layer.parts();
        return { a: mul(parts.a, 1), w: parts.w };
      });
      const [[scale], weights] = [await a.data<'float32'>(), await w.data<'float32'>()];
      a.dispose();
      w.dispose();
      const bound = scale! * KINDS[layer.companderKind].bound;
      const most = Number.isFinite(bound) ? bound : weights.reduce((largest, weight) => Math.max(largest, Math.abs(weight)), 0);
      return { bars: histogram(name, weights, most), bounds: [-most, most].map((at) => ({ layer: name, at })) };
    }),
  );
  const Plot = await loadPlot();
  const plot = Plot.plot({
    document,
    width,
    height: 60 + height * found.length,
    marginRight: 120,
    x: { label: 'weight' },
    y: { label: 'percent', grid: true },
    fy: { label: null },
    marks: [
      Plot.rectY(
        found.flatMap(({ bars }) => bars),
        { x1: 'from', x2: 'to', y: 'share', fy: 'layer', fill: '#2563eb', inset: 0.5 },
      ),
      Plot.ruleX(
        found.flatMap(({ bounds }) => bounds),
        { x: 'at', fy: 'layer', stroke: '#d97706' },
      ),
      Plot.ruleY([0]),
    ],
  });
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return plot.outerHTML;
}
