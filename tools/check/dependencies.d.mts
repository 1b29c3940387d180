export function checkDependencies(base?: string): Promise<string | undefined>;
