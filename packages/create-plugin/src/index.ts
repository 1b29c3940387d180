export { createPlugin, type Created, type CreateOptions } from './create.ts';
export { CreateError } from './error.ts';
export type { Names } from './names.ts';
export { variants, type Variant } from './variants.ts';
