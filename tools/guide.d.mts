export function region(text: string, name: string): string;
export function withRegions(page: string): { text: string; count: number };
