export function checkLoads(
  folder: string,
  entries: string[],
  options: { peers: string[]; how: 'import' | 'require'; node?: string },
): Promise<void>;
