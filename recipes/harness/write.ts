import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RecipeReport } from './runner.ts';

/** Writes a report so that the file is always whole: the old one, or the new one. */
export async function writeReport(file: string, report: RecipeReport): Promise<void> {
  const unfinished = `${file}.${process.pid}.unfinished`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(unfinished, `${JSON.stringify(report, null, 2)}\n`);
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
