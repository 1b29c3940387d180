// Draws what an example returns: every array of numbers as a row or block of cells, coloured by value; numbers with names as bars.
import * as Plot from '@observablehq/plot';
import { labelled } from './labelled.ts';
import { digits } from './numbers.ts';

interface Cell {
  readonly column: number;
  readonly row: number;
  readonly value: number;
}

const MOST_CELLS = 400;

type Numbers = number | readonly Numbers[];

const isNumbers = (value: unknown): value is Numbers =>
  typeof value === 'number' || (Array.isArray(value) && value.length > 0 && value.every(isNumbers));

/** Rows of an array of any rank: all but the last axis go down. */
function rows(value: Numbers): number[][] {
  if (typeof value === 'number') return [[value]];
  return value.every((item) => typeof item === 'number') ? [[...(value as readonly number[])]] : value.flatMap(rows);
}

function cells(value: Numbers): Cell[] {
  return rows(value).flatMap((numbers, row) => numbers.map((number, column) => ({ column, row, value: number })));
}

/** Numbers by name, of which there are several. */
type Named = Readonly<Record<string, number>>;

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length > 1 &&
  Object.values(value).every((each) => typeof each === 'number');

const isDrawable = (value: unknown): value is Numbers[] | Named =>
  isNamed(value) || (Array.isArray(value) && isNumbers(value) && cells(value).length <= MOST_CELLS);

/** The parts of a result that can be drawn, by name. */
export function drawable(result: unknown): [name: string, value: Numbers | Named][] {
  if (typeof result !== 'object' || result === null) return [];
  return Object.entries(result).filter((entry): entry is [string, Numbers[] | Named] => isDrawable(entry[1]));
}

/** One part of a result. */
export function draw(name: string, value: Numbers | Named): HTMLElement | SVGElement {
  return isNamed(value) ? drawBars(name, value) : drawCells(name, value);
}

/** A bar for each number, with its value at the end. */
function drawBars(name: string, value: Named): HTMLElement | SVGElement {
  const data = Object.entries(value).map(([label, number]) => ({ label, number }));
  const plot = Plot.plot({
    width: 400,
    height: data.length * 30 + 10,
    margin: 4,
    marginLeft: 110,
    marginRight: 60,
    style: { background: 'transparent', fontSize: '13px' },
    x: { axis: null },
    y: { label: null, domain: data.map(({ label }) => label), tickSize: 0 },
    marks: [
      Plot.barX(data, { x: 'number', y: 'label', fill: 'var(--vp-c-brand-3)', inset: 3 }),
      Plot.text(data, { x: 'number', y: 'label', text: ({ number }: { number: number }) => digits(number), textAnchor: 'start', dx: 6 }),
    ],
  });
  return labelled(plot, `${name}: ${data.map(({ label, number }) => `${label} ${digits(number)}`).join(', ')}`);
}

/** One array as cells with their values written in them. */
function drawCells(name: string, value: Numbers): HTMLElement | SVGElement {
  const data = cells(value);
  const columns = Math.max(...data.map(({ column }) => column)) + 1;
  const down = Math.max(...data.map(({ row }) => row)) + 1;
  const limit = Math.max(1e-9, ...data.map((cell) => Math.abs(cell.value)));
  const wide = columns <= 12;
  const size = wide ? 56 : Math.max(6, Math.floor(640 / columns));
  const plot = Plot.plot({
    width: columns * size + 2,
    height: down * (wide ? 30 : size) + 2,
    margin: 1,
    x: { axis: null, type: 'band', padding: 0.04 },
    y: { axis: null, type: 'band', padding: 0.04 },
    color: { scheme: 'BrBG', domain: [-limit, limit], reverse: false },
    marks: [
      Plot.cell(data, { x: 'column', y: 'row', fill: 'value', inset: 0 }),
      ...(wide
        ? [
            Plot.text(data, {
              x: 'column',
              y: 'row',
              text: (cell: Cell) => digits(cell.value),
              fill: (cell: Cell) => (Math.abs(cell.value) > 0.6 * limit ? 'white' : 'black'),
              fontSize: 13,
            }),
          ]
        : []),
    ],
  });
  const values = data.map((cell) => cell.value);
  return labelled(plot, `${name}: ${down} x ${columns} numbers from ${digits(Math.min(...values))} to ${digits(Math.max(...values))}`);
}
