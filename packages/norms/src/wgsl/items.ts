// Kernels are written in terms of Item, a float or four: with four, a thread moves 16 bytes at a time.

/** What makes Item a float; `across` sums over an item. */
export const ONE = `
alias Item = f32;
fn across(item: Item) -> f32 { return item; }
`;

/** What makes Item four floats. */
export const FOUR = `
alias Item = vec4f;
fn across(item: Item) -> f32 { return (item.x + item.y) + (item.z + item.w); }
`;

/** Floats in an item: four where rows of `width` floats consist of whole fours. */
export function itemSize(width: number): 1 | 4 {
  return width % 4 === 0 ? 4 : 1;
}

/** `name`, or the variant of it for items of this size. */
export function variant(name: string, size: 1 | 4): string {
  return size === 4 ? `${name}4` : name;
}

/** A dispatch's constants, without those that have their default: so it uses the pipeline that compile() has made. */
export function overrides(
  values: Readonly<Record<string, number>>,
  defaults: Readonly<Record<string, number>>,
): { constants?: Record<string, number> } {
  const others = Object.entries(values).filter(([name, value]) => defaults[name] !== value);
  return others.length === 0 ? {} : { constants: Object.fromEntries(others) };
}
