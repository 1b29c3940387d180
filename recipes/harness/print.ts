import type { Recipe } from './define.ts';
import { brief } from './rules.ts';
import { rulesOf, type RecipeReport } from './runner.ts';

function wrap(text: string, indent: string, width = 100): string {
  let line = indent;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    if (line.length + word.length > width && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}

/** Rows in aligned columns, the first flush left, the others right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map((row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('   ')}`.trimEnd())
    .join('\n');
}

/** What a recipe is about to do, and by what it will be judged. */
export function introduce(recipe: Recipe): string {
  const { title, authors, year, id } = recipe.paper;
  return [
    `${recipe.name}: ${title}. ${authors}, ${year} (${id}).`,
    `The paper claims\n${wrap(recipe.claim, '  ')}`,
    `Here is measured\n${wrap(recipe.measures, '  ')}`,
    `Arms: ${recipe.arms.join(', ')}. Seeds: ${recipe.seeds.join(', ')}.`,
    `It counts as reproduced if\n${rulesOf(recipe)
      .map((rule) => `  - ${rule}`)
      .join('\n')}`,
  ].join('\n\n');
}

/** Each error once, with the runs that it ended. */
function failuresOf({ failures }: RecipeReport): string[] {
  const runs = new Map<string, string[]>();
  for (const { arm, seed, error } of failures) runs.set(error, [...(runs.get(error) ?? []), `${arm} (seed ${seed})`]);
  return [...runs].map(([error, failed]) => `${failed.length} FAILED: ${error}\n${wrap(failed.join(', '), '  ')}`);
}

/** Figures by arm, what held, and the outcome. */
export function conclude(report: RecipeReport): string {
  const rows = report.arms.flatMap((arm) =>
    Object.entries(report.figures[arm] ?? {}).map(([figure, { mean, standardDeviation, values }]) => [
      arm,
      figure,
      `${brief(mean)} ± ${brief(standardDeviation)}`,
      values.map(brief).join(' / '),
    ]),
  );
  const judged = report.verdicts.map(({ rule, held, found }) => `  ${held ? 'holds     ' : 'DOES NOT  '} ${rule} (${found})`);
  const outcomes = {
    true: 'Reproduced.',
    false: 'NOT reproduced at this scale.',
    undefined: 'Not judged: not all arms and seeds were run.',
  };
  return [
    columns([['arm', 'figure', 'mean ± deviation', 'by seed'], ...rows]),
    ...failuresOf(report),
    ...(judged.length > 0 ? [judged.join('\n')] : []),
    `${outcomes[`${report.held}`]} Scale ${report.scale}, ${report.backend}, ${report.seconds.toFixed(0)} s.`,
  ].join('\n\n');
}
