/** How a kernel of columns sees `rows` rows of channels. */
export interface Columns {
  readonly channels: number;
  /** So many rows are handled as one, whose columns are pooled afterwards. */
  readonly copies: number;
  /** Bytes of an array of float32, one for each column, with room for a multiple of four. */
  readonly room: number;
}

/** Few or odd channels leave vectors empty, so that several rows are taken for one, where that divides the rows. */
export function asColumns(rows: number, channels: number): Columns {
  let copies = 1;
  while (copies < 16 && (channels * copies < 16 || (channels * copies) % 4 !== 0) && rows % (2 * copies) === 0) copies *= 2;
  return { channels, copies, room: 16 * Math.ceil((channels * copies) / 4) };
}
