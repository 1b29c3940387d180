import { methods, type Method } from '../methods.ts';

/** What the site knows of a method beyond its page; undefined for methods without a picture. */
export const methodOf = (slug: string): Method | undefined => methods[slug];
