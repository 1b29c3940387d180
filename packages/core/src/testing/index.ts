export type { CaseInput, NestedNumbers, OpCase, RandomInput, Tolerances } from './case.ts';
export type { ExpectKernel } from './kernels.ts';
export type { LayerCase, TfjsLayers, TfjsModel } from './layers.ts';
export { opcheck, type OpcheckOptions } from './opcheck.ts';
export { checkPlugin, type CheckPluginOptions, type PluginOpCases } from './plugin.ts';
export type { CheckFailure, CheckName } from './record.ts';
export { formatReport, type CheckReport, type FinishOptions } from './report.ts';
