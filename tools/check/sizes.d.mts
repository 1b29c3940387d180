export function checkSizes(measured: Record<string, number>, ceilings?: Record<string, number>): void;
