export { plotConvergence, type PlotConvergenceOptions } from './logistic-regression/plot-convergence.ts';
