export { plotNorms, type PlotNormsOptions } from './inspect-norms/plot-norms.ts';
