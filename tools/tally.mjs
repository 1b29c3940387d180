// How many tests have passed and failed, over all commands of one run: CI's closing line.
//   node tools/tally.mjs    prints the count; exit code 1 where a test failed or none ran
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = join(import.meta.dirname, '../.cache/tally.json');

/** What has been counted since the last `resetTally`. */
export function tally() {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passed: 0, failed: 0 };
}

function write(counts) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(counts));
}

/** Forgets what earlier runs counted. */
export function resetTally() {
  write({ passed: 0, failed: 0 });
}

export function count({ passed, failed }) {
  const sum = tally();
  write({ passed: sum.passed + passed, failed: sum.failed + failed });
}

/** A step that failed without a failing test, so that no failed run says "0 failed". */
export function countFailure() {
  if (tally().failed === 0) count({ passed: 0, failed: 1 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed } = tally();
  console.log(`tests: ${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}
