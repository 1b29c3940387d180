export { plotHubness, type PlotHubnessOptions } from './hubness/plot-hubness.ts';
