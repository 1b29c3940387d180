export type { Solver } from './solver.ts';
