import { EvenkeelError } from '../errors.ts';
import { describeFailure, type CheckFailure, type CheckName, type CheckRecord } from './record.ts';

/** What was covered, and what failed. */
export interface CheckReport {
  /** The op's id, or the plugin's name. */
  readonly subject: string;
  readonly backends: readonly string[];
  /** Backends that were handed over but are not there, with the reason. */
  readonly leftOut: readonly { readonly backend: string; readonly reason: string }[];
  readonly cases: number;
  /** How often each check passed on each backend; '' stands for what concerns no backend. */
  readonly passed: readonly { readonly check: CheckName; readonly backend: string; readonly times: number }[];
  readonly failures: readonly CheckFailure[];
  /** What the cases leave open. */
  readonly notCovered: readonly string[];
}

/** How a check ends. */
export interface FinishOptions {
  /** 'throw' (default): one error that lists all failures. 'return': they are in the report only. */
  readonly failures?: 'throw' | 'return';
  /** Gets one line on what was covered. Default: console.info. false: nothing is printed. */
  readonly print?: ((line: string) => void) | false;
}

function total(report: CheckReport): Map<CheckName, number> {
  const sums = new Map<CheckName, number>();
  for (const { check, times } of report.passed) sums.set(check, (sums.get(check) ?? 0) + times);
  return sums;
}

/** One line: what was covered. */
export function summarize(report: CheckReport): string {
  const checks = [...total(report)].map(([check, times]) => `${check} ${times}`).join(', ');
  const open = [...report.notCovered, ...report.leftOut.map(({ backend, reason }) => `${backend} (${reason})`)];
  const failed = report.failures.length === 0 ? '' : `; ${report.failures.length} FAILED`;
  const rest = open.length === 0 ? '' : `; not covered: ${open.join(', ')}`;
  return `${report.subject}: ${report.cases} cases on ${report.backends.join(', ')}: ${checks}${failed}${rest}`;
}

/**
 * The report as a table: a line for each check, a column for each backend.
 *
 * @example
 * console.log(formatReport(await opcheck(Double, cases, { print: false })));
 */
export function formatReport(report: CheckReport): string {
  const columns = [...report.backends, ''];
  const cell = (check: CheckName, backend: string): string => {
    const times = report.passed.find((each) => each.check === check && each.backend === backend)?.times ?? 0;
    const failed = report.failures.filter((each) => each.check === check && each.backend === backend).length;
    return failed > 0 ? `${failed} of ${times + failed} failed` : times > 0 ? String(times) : '-';
  };
  const checks = [...new Set([...report.passed, ...report.failures].map(({ check }) => check))];
  const rows = [
    [report.subject, ...report.backends, checks.some((check) => cell(check, '') !== '-') ? 'any' : ''],
    ...checks.map((check) => [check, ...columns.map((backend) => cell(check, backend))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  for (const { backend, reason } of report.leftOut) lines.push(`left out: ${backend} (${reason})`);
  for (const open of report.notCovered) lines.push(`not covered: ${open}`);
  for (const failure of report.failures) lines.push(`FAILED ${describeFailure(failure)}`);
  return lines.join('\n');
}

/** Makes the report of a record, prints its line, and throws if something failed. */
export function finish(
  function_: string,
  about: Omit<CheckReport, 'passed' | 'failures'>,
  record: CheckRecord,
  { failures = 'throw', print = (line) => console.info(line) }: FinishOptions,
): CheckReport {
  const passed = [...record.passed].map(([key, times]) => {
    const [check, backend] = key.split('|') as [CheckName, string];
    return { check, backend, times };
  });
  const report: CheckReport = { ...about, passed, failures: record.failures };
  if (print !== false) print(summarize(report));
  if (failures === 'throw' && report.failures.length > 0) throw checkError(function_, report);
  return report;
}

function checkError(function_: string, { subject, failures }: CheckReport): EvenkeelError {
  const lines = failures.map((failure) => `  ${describeFailure(failure)}`).join('\n');
  return new EvenkeelError('CHECK_FAILED', `${subject} fails ${failures.length} checks:\n${lines}`, { op: function_ });
}
