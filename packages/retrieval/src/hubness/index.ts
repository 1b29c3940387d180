export { hubnessReport, hubnessReportOf, type Hub, type HubnessReport, type HubnessReportOptions } from './report.ts';
export { countOccurrences, kOccurrence, type KOccurrenceOptions } from './k-occurrence.ts';
export { antihubShare, gini, hubShare, robinHoodIndex, skewness, type SkewnessOptions } from './measures.ts';
