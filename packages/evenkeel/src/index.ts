export { doctor, type DoctorReport, type Missing } from './doctor/doctor.ts';
export { inspectPackage, inspectPlugin, type InspectedOp, type InspectReport, type PluginChecks } from './inspect/inspect.ts';
export {
  tour,
  type BackendsPart,
  type EnginesPart,
  type PlanPart,
  type SavedPart,
  type TourOptions,
  type TourPart,
  type TourReport,
  type TrainingPart,
} from './tour/tour.ts';
export type { Arm } from './tour/network.ts';
export type { EngineTime } from './tour/plain-tfjs.ts';
