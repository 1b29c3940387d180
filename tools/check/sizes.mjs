// How large an entry point may be.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../steps.mjs';

const file = join(import.meta.dirname, 'sizes.json');

/** A tenth is left for what comes; growth beyond that is a decision. */
const HEADROOM = 1.1;

/** Takes the sizes as they are for new ceilings. */
export function takeSizes(measured) {
  const taken = Object.entries(measured).map(([entry, bytes]) => [entry, Math.ceil((bytes * HEADROOM) / 100) * 100]);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(taken), null, 2)}\n`);
}

/** Prints bytes and ceilings; throws a Failure where an entry point is above its ceiling or has none, or a ceiling has no entry point. */
export function checkSizes(measured, ceilings = JSON.parse(readFileSync(file, 'utf8'))) {
  for (const [entry, bytes] of Object.entries(measured)) {
    console.log(`    ${entry.padEnd(36)} ${String(bytes).padStart(7)} of ${String(ceilings[entry] ?? '?').padStart(7)} bytes`);
  }
  const above = Object.keys(measured).filter((entry) => !(measured[entry] <= ceilings[entry]));
  const gone = Object.keys(ceilings).filter((entry) => measured[entry] === undefined);
  if (above.length + gone.length === 0) return;
  throw new Failure(
    `Above the ceiling or without one: ${above.join(', ') || 'none'}. No longer there: ${gone.join(', ') || 'none'}.\n` +
      'Find out what grew; where it is meant, npm run check -- --sizes takes the sizes as they are for new ceilings.',
  );
}
