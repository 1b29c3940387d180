// Property tests draw the same cases everywhere, so that what passes here passes there. SEED=N npm test draws others.
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: Number(process.env.SEED ?? 1) });
