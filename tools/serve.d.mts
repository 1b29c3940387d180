export function serve(folder: string): Promise<{ address: string; stop(): void }>;
