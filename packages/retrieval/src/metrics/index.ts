export { metricsOf, retrievalMetrics, type RetrievalMetrics, type RetrievalMetricsOptions } from './metrics.ts';
export { ranksOf, type Targets } from './ranks.ts';
