// What a run of vitest is worth. Its exit code alone does not tell a suite that passed from one that never ran.

/**
 * Reads vitest's JSON report.
 * report: the parsed report
 * files: the test files that had to run, absolute
 * strict: whether a skipped test is a failure
 * Returns the counts, and what speaks against the run beyond failed tests.
 */
export function verdict(report, { files, strict }) {
  const ran = new Set(
    report.testResults.filter(({ assertionResults }) => assertionResults.some(({ status }) => status === 'passed')).map(({ name }) => name),
  );
  const silent = files.filter((file) => !ran.has(file));
  const skipped = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => `${name}: ${fullName}`),
  );
  const reasons = [];
  if (report.numPassedTests + report.numFailedTests === 0) reasons.push('No test ran.');
  if (silent.length > 0) reasons.push(`No test of these files passed:\n  ${silent.join('\n  ')}`);
  if (strict && skipped.length > 0) reasons.push(`Skipped, and on CI a test that does not run is a failure:\n  ${skipped.join('\n  ')}`);
  return { passed: report.numPassedTests, failed: report.numFailedTests, reasons };
}
