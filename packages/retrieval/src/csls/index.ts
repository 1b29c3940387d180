export { csls, type CslsOptions } from './csls.ts';
