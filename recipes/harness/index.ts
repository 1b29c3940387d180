export { defineRecipe, type Figures, type Paper, type Recipe, type Results, type RunContext, type Verdict } from './define.ts';
export { columns, conclude, introduce } from './print.ts';
export { brief, margin, noWorse, type MarginOptions } from './rules.ts';
export { rulesOf, runRecipe, type RecipeReport, type RunOptions } from './runner.ts';
export { serveRuns, startWorkers, type Workers } from './workers.ts';
export { writeReport } from './write.ts';
