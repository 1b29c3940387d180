// The header's JSON, by its own grammar rather than by JSON.parse: that one would drop one of two entries of a name without a word.
import { EvenkeelError, show } from '../errors.ts';
import { isUnicode, METADATA } from './dtypes.ts';

/** What the header says of a tensor. */
export interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the end of the header, in bytes. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: ReadonlyMap<string, string>;
}

export function refuse(message: string): never {
  throw new EvenkeelError('SAFETENSORS', message, { op: 'readSafetensors', argument: 'bytes' });
}

/** Reads JSON of which it is known what comes next. */
class Scanner {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  private fail(expected: string): never {
    const found = this.at < this.text.length ? show(this.text.slice(this.at, this.at + 12)) : 'its end';
    refuse(`the header, at character ${this.at}, has ${found}, expected ${expected}`);
  }

  private skipSpace(): void {
    while (this.at < this.text.length && ' \t\n\r'.includes(this.text[this.at]!)) this.at++;
  }

  private take(character: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private list(open: string, close: string, expected: string, item: () => unknown): void {
    if (!this.take(open)) this.fail(expected);
    if (this.take(close)) return;
    do item();
    while (this.take(','));
    if (!this.take(close)) this.fail(`',' or '${close}'`);
  }

  string(expected: string): string {
    this.skipSpace();
    if (this.text[this.at] !== '"') this.fail(expected);
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    const literal = this.text.slice(this.at, end + 1);
    let text: string;
    try {
      text = JSON.parse(literal) as string;
    } catch {
      refuse(`the header, at character ${this.at}, has ${show(literal)}, which is not a string of JSON`);
    }
    if (!isUnicode(text)) refuse(`the header, at character ${this.at}, has ${show(literal)}, which is not Unicode`);
    this.at = end + 1;
    return text;
  }

  /** An object, entry by entry; `what` names it in errors. */
  object(what: string, value: (key: string) => unknown): void {
    const seen = new Set<string>();
    this.list('{', '}', `the object ${what}`, () => {
      const key = this.string(`a key of ${what}`);
      if (seen.has(key)) refuse(`${what} has two entries of the name ${show(key)}`);
      seen.add(key);
      if (!this.take(':')) this.fail("':'");
      value(key);
    });
  }

  /** An integer >= 0. JSON allows 1.0 and 1e3 as well; the format does not. */
  private integer(what: string): number {
    this.skipSpace();
    const pattern = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
    pattern.lastIndex = this.at;
    const value = Number(pattern.exec(this.text)?.[0]);
    if (!Number.isSafeInteger(value)) this.fail(`an integer from 0 to 2^53 in ${what}`);
    this.at = pattern.lastIndex;
    return value;
  }

  integers(what: string): number[] {
    const numbers: number[] = [];
    this.list('[', ']', `${what}, an array`, () => numbers.push(this.integer(what)));
    return numbers;
  }

  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) this.fail('nothing but spaces after its object');
  }
}

function readEntry(scanner: Scanner, name: string): Entry {
  const what = `tensor ${show(name)}`;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  scanner.object(what, (key) => {
    if (key === 'dtype') dtype = scanner.string(`the dtype of ${what}, a string`);
    else if (key === 'shape') shape = scanner.integers(`the shape of ${what}`);
    else if (key === 'data_offsets') offsets = scanner.integers(`the data_offsets of ${what}`);
    else refuse(`${what} has a field ${show(key)}, expected dtype, shape and data_offsets`);
  });
  if (dtype === undefined) refuse(`${what} has no dtype`);
  if (shape === undefined) refuse(`${what} has no shape`);
  if (offsets === undefined) refuse(`${what} has no data_offsets`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length > 2) refuse(`${what} has ${offsets.length} data_offsets, expected 2`);
  return { dtype, shape, begin, end };
}

/** Parses the header. Throws SAFETENSORS where it is not one. Names are kept in maps: none of them can mean anything but itself. */
export function parseHeader(text: string): Header {
  const entries = new Map<string, Entry>();
  const metadata = new Map<string, string>();
  const scanner = new Scanner(text);
  scanner.object('the header', (name) => {
    if (name !== METADATA) entries.set(name, readEntry(scanner, name));
    else scanner.object(METADATA, (key) => metadata.set(key, scanner.string(`a string, the value of ${show(key)} in ${METADATA}`)));
  });
  scanner.end();
  return { entries, metadata };
}
