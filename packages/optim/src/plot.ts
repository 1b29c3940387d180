export { plotConvergence, type PlotConvergenceOptions } from './logistic-regression/plot-convergence.ts';
export { plotCompander, type PlotCompanderOptions } from './weight-compander/plot-compander.ts';
