import * as Plot from '@observablehq/plot';
import { labelled } from '../components/labelled.ts';
import { BINS, RANGE, type LayerReport } from './protocol.ts';

export interface Point {
  readonly step: number;
  readonly value: number;
}

const DASHES = ['none', '6 3', '2 3', '8 3 2 3'];

/** Colours are those of the page's theme; dashes tell curves apart without them. */
export const strokeOf = (at: number): string => `var(--series-${at % 8})`;
export const dashOf = (at: number): string => DASHES[at % DASHES.length]!;

/** Each value mixed with those before it, of which a tenth is new. */
export function smoothed(values: readonly number[]): number[] {
  let mixed = values[0] ?? 0;
  return values.map((value) => (mixed += (value - mixed) * 0.1));
}

export interface CurvesOptions {
  readonly title: string;
  readonly label: string;
  readonly steps: number;
  readonly width: number;
  readonly domain?: readonly [number, number];
}

/** A curve a run; its number stands at its end. */
export function curves(
  runs: readonly (readonly Point[])[],
  { title, label, steps, width, domain }: CurvesOptions,
): HTMLElement | SVGElement {
  const marks = runs.flatMap((points, at) => [
    Plot.line(points, { x: 'step', y: 'value', stroke: strokeOf(at), strokeDasharray: dashOf(at), strokeWidth: 2 }),
    ...(points.length < 20 ? [Plot.dot(points, { x: 'step', y: 'value', fill: strokeOf(at), r: 3 })] : []),
    Plot.text(points.slice(-1), {
      x: 'step',
      y: 'value',
      text: () => String(at + 1),
      dx: 9,
      fill: strokeOf(at),
      fontWeight: 'bold',
      fontSize: 13,
    }),
  ]);
  const plot = Plot.plot({
    width,
    height: 260,
    marginLeft: 46,
    marginRight: 22,
    marginBottom: 42,
    style: { background: 'transparent', fontSize: '13px' },
    x: { domain: [0, steps], label: 'step', ticks: 5 },
    y: {
      ...(domain && { domain }),
      label: title,
      grid: true,
      ticks: 5,
      ...(runs.every(({ length }) => length === 0) && { domain: domain ?? [0, 2.5] }),
    },
    marks: [Plot.frame({ stroke: 'transparent' }), ...marks],
  });
  return labelled(plot, label);
}

/** For each layer, from the first to the last, how the values before its activation spread. */
export function histograms(layers: readonly LayerReport[], width: number, label: string): HTMLElement | SVGElement {
  const row = Math.max(14, Math.min(34, 420 / layers.length));
  const bars = layers.flatMap(({ shares }, layer) =>
    shares.map((share, bin) => ({
      from: -RANGE + (bin * 2 * RANGE) / BINS,
      to: -RANGE + ((bin + 1) * 2 * RANGE) / BINS,
      layer: layer + 1,
      height: Math.min(1, Math.sqrt(share / 0.35)),
    })),
  );
  const plot = Plot.plot({
    width,
    height: layers.length * row + 50,
    marginLeft: 58,
    marginRight: 70,
    marginTop: 8,
    marginBottom: 36,
    style: { background: 'transparent', fontSize: '12px' },
    x: { domain: [-RANGE, RANGE], label: 'value before the activation', ticks: 5 },
    y: { axis: null, domain: [0, 1] },
    fy: { domain: layers.map((_, at) => at + 1), label: null, padding: 0.08, tickFormat: (at: number) => `layer ${at}`, axis: 'left' },
    marks: [
      Plot.ruleX([0], { stroke: 'var(--vp-c-divider)' }),
      Plot.rectY(bars, { x1: 'from', x2: 'to', y: 'height', fy: 'layer', fill: 'var(--vp-c-brand-1)', inset: 0 }),
      Plot.text(
        layers.map(({ deviation, dead, channels }, at) => ({
          layer: at + 1,
          text: `±${short(deviation)}${dead > channels / 2 ? ' †' : ''}`,
        })),
        { x: RANGE, y: 0.5, fy: 'layer', text: 'text', textAnchor: 'start', dx: 6, fontSize: 12 },
      ),
    ],
  });
  return labelled(plot, label);
}

const short = (value: number): string => {
  if (!Number.isFinite(value)) return 'NaN';
  return value >= 1000 || (value < 0.01 && value > 0) ? value.toExponential(0) : String(Number(value.toPrecision(2)));
};

/** Lengths of gradients by layer, a curve a run, on a scale of powers of ten. */
export function gradients(runs: readonly (readonly LayerReport[])[], width: number, label: string): HTMLElement | SVGElement {
  const points = runs.map((layers) =>
    layers.map(({ gradient }, at) => ({ layer: at + 1, gradient })).filter(({ gradient }) => gradient > 1e-12 && gradient < 1e12),
  );
  const depth = Math.max(2, ...runs.map(({ length }) => length));
  const plot = Plot.plot({
    width,
    height: 220,
    marginLeft: 58,
    marginRight: 22,
    marginBottom: 42,
    style: { background: 'transparent', fontSize: '13px' },
    x: { domain: [1, depth], label: 'layer', ticks: Math.min(depth, 8), tickFormat: 'd' },
    y: {
      type: 'log',
      label: 'length of the gradient',
      grid: true,
      ticks: 4,
      tickFormat: '.0e',
      ...(points.flat().length === 0 && { domain: [1e-4, 1] }),
    },
    marks: [
      Plot.frame({ stroke: 'transparent' }),
      ...points.flatMap((each, at) => [
        Plot.line(each, { x: 'layer', y: 'gradient', stroke: strokeOf(at), strokeDasharray: dashOf(at), strokeWidth: 2 }),
        Plot.dot(each, { x: 'layer', y: 'gradient', fill: strokeOf(at), r: 3 }),
      ]),
    ],
  });
  return labelled(plot, label);
}
