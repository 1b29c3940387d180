interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[];
}

export function verdict(
  report: Report,
  options: { files: string[]; strict: boolean },
): { passed: number; failed: number; reasons: string[] };
