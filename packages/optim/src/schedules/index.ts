export type { Schedule } from '../optimizer/optimizer.ts';
export { followSchedule, type ScheduleCallback, type Scheduled } from './follow-schedule.ts';
export { cosineDecay, stepDecay, warmUp } from './schedules.ts';
