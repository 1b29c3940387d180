export function testsOnWebGpu(): string[];
export function testsThatLookAtPages(): string[];
