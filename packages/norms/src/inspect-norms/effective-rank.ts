// How many directions a set of vectors uses, in float64 on the host.

/** Rows of equal length. */
export type Rows = readonly Float64Array[];

/** Inner products of all pairs of rows. */
function products(rows: Rows): Float64Array[] {
  const gram = rows.map(() => new Float64Array(rows.length));
  rows.forEach((a, i) => {
    for (let j = 0; j <= i; j++) {
      const b = rows[j]!;
      let sum = 0;
      for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
      gram[i]![j] = sum;
      gram[j]![i] = sum;
    }
  });
  return gram;
}

function transposed(rows: Rows): Float64Array[] {
  return Array.from(rows[0]!, (_, k) => Float64Array.from(rows, (row) => row[k]!));
}

/** A tridiagonal matrix with the same eigenvalues, by Householder's reflections: its diagonal, and the squares beside it. Overwrites `a`. */
function tridiagonal(a: Float64Array[]): { diagonal: Float64Array; besides: Float64Array } {
  const n = a.length;
  const besides = new Float64Array(Math.max(0, n - 1));
  for (let k = 0; k < n - 1; k++) {
    // The reflection that leaves of column k, below the diagonal, only the first element.
    const v = Float64Array.from({ length: n - k - 1 }, (_, i) => a[k + 1 + i]![k]!);
    const length = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
    besides[k] = length * length;
    v[0] = v[0]! + (v[0]! < 0 ? -length : length);
    const norm = v.reduce((sum, value) => sum + value * value, 0);
    if (norm === 0) continue;
    const below = a.slice(k + 1).map((row) => row.subarray(k + 1));
    const p = Float64Array.from(below, (row) => (2 * row.reduce((sum, value, j) => sum + value * v[j]!, 0)) / norm);
    const along = p.reduce((sum, value, i) => sum + value * v[i]!, 0) / norm;
    const w = p.map((value, i) => value - along * v[i]!);
    below.forEach((row, i) => {
      for (let j = 0; j < row.length; j++) row[j]! -= v[i]! * w[j]! + w[i]! * v[j]!;
    });
  }
  return { diagonal: Float64Array.from(a, (row, i) => row[i]!), besides };
}

/** How many eigenvalues of a tridiagonal matrix are below x: the negative pivots of its elimination. */
function countBelow(x: number, diagonal: Float64Array, besides: Float64Array): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    pivot = diagonal[i]! - x - (i === 0 ? 0 : besides[i - 1]! / pivot);
    if (pivot === 0) pivot = Number.MIN_VALUE;
    if (pivot < 0) count++;
  }
  return count;
}

/** The eigenvalues of a symmetric matrix without negative ones, ascending, to 1e-13 of the largest. Overwrites the matrix. */
export function eigenvalues(matrix: Float64Array[]): number[] {
  const { diagonal, besides } = tridiagonal(matrix);
  // The trace bounds the largest one.
  const most = diagonal.reduce((sum, value) => sum + Math.max(0, value), 0);
  return Array.from(diagonal, (_, k) => {
    let [low, high] = [0, most];
    while (high - low > 1e-14 * most) {
      const middle = (low + high) / 2;
      if (countBelow(middle, diagonal, besides) > k) high = middle;
      else low = middle;
    }
    return (low + high) / 2;
  });
}

/**
 * The effective rank of centred rows: exp of the entropy of their singular values, which are divided by their sum. 1 for rows on a line, as
 * many as there are dimensions for rows that spread alike in all, 0 for rows that are all the same.
 *
 * Source: Roy, Vetterli 2007, "The effective rank: a measure of effective dimensionality".
 */
export function effectiveRank(rows: Rows): number {
  const width = rows[0]?.length ?? 0;
  if (width === 0) return 0;
  const means = Float64Array.from({ length: width }, (_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length);
  const centred = rows.map((row) => row.map((value, k) => value - means[k]!));
  const values = eigenvalues(products(rows.length < width ? centred : transposed(centred)));
  // Below 1e-12 of the largest eigenvalue there is only what rounding left.
  const least = 1e-12 * values.at(-1)!;
  const singular = values.filter((value) => value > least).map(Math.sqrt);
  const sum = singular.reduce((total, value) => total + value, 0);
  if (sum === 0) return 0;
  return Math.exp(-singular.reduce((entropy, value) => entropy + (value / sum) * Math.log(value / sum), 0));
}
