export type { Constraint, Identifier, Initializer, Regularizer } from './keras.ts';
