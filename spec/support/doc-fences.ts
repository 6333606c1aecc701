import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A piece of TypeScript in the documentation.
 *
 * What follows `ts` in its info string says what is done with it; without a word it is compiled.
 *
 * - `run`: also executed. Its output must equal its `// prints …` comments, where it has any.
 * - `redis`: beside `run`; with a Redis server of its own, whose address is in `REDIS_URL`.
 * - `continued`: stands below the fence before it, as in one file.
 * - `legacy`: compiled with `experimentalDecorators`, which decorated parameters and fields get by themselves.
 * - `ignore: <reason>`: neither, for the reason given.
 */
export interface DocFence {
  readonly file: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  readonly words: readonly string[];
  /** Why nothing is done with it; `undefined` where something is. */
  readonly ignored: string | undefined;
  readonly code: string;
  /** Whether it stands in a doc comment, where names of the package need no import. */
  readonly isExample: boolean;
}

const KNOWN_WORDS = new Set(['run', 'redis', 'continued', 'legacy']);
const OPENING = /^(\s*)```\s*(\S*)\s*(.*?)\s*$/;

/** The TypeScript fences of a Markdown page. */
export function markdownFences(file: string, page: string): readonly DocFence[] {
  const lines = page.split('\n');
  return fencesOf(
    file,
    lines.map((text, index) => ({ text, line: index + 1 })),
    false,
  );
}

/** The TypeScript fences of the doc comments below a folder. */
export function exampleFences(root: string, folder: string): readonly DocFence[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .flatMap((file) => {
      const path = join(folder, file);
      const lines = readFileSync(join(root, path), 'utf8')
        .split('\n')
        .map((text, index) => ({ text, line: index + 1 }))
        .filter(({ text }) => /^\s*\*(?:\s|$)/.test(text))
        .map(({ text, line }) => ({ text: text.replace(/^\s*\* ?/, ''), line }));
      return fencesOf(path, lines, true);
    });
}

interface Line {
  readonly text: string;
  readonly line: number;
}

function fencesOf(file: string, lines: readonly Line[], isExample: boolean): readonly DocFence[] {
  const fences: DocFence[] = [];
  for (let index = 0; index < lines.length; index++) {
    const { text, line } = lines[index]!;
    const [, indent = '', language, info = ''] = OPENING.exec(text) ?? [];
    if (language === undefined) continue;
    const end = lines.findIndex((each, at) => at > index && each.text.trim() === '```');
    if (end === -1) throw new Error(`${file}:${line}: the fence is never closed`);
    const body = lines.slice(index + 1, end).map((each) => each.text.slice(indent.length));
    index = end;
    if (/^(?:typescript|tsx|mts|js|javascript)$/i.test(language)) {
      throw new Error(
        `${file}:${line}: write examples as 'ts', which are checked, not as '${language}'`,
      );
    }
    if (language !== 'ts' && language !== 'ts:') continue;
    fences.push({
      file,
      line,
      code: body.join('\n'),
      isExample,
      ...readInfo(`${file}:${line}`, info),
    });
  }
  return fences;
}

function readInfo(place: string, info: string): Pick<DocFence, 'words' | 'ignored'> {
  const [, reason] = /^ignore:?\s*(.*)$/.exec(info) ?? [];
  if (reason !== undefined) {
    if (reason.length < 10)
      throw new Error(`${place}: 'ignore' needs a reason, as in 'ts ignore: <reason>'`);
    return { words: [], ignored: reason };
  }
  const words = info.split(/\s+/).filter((word) => word !== '');
  const unknown = words.filter((word) => !KNOWN_WORDS.has(word));
  if (unknown.length > 0) {
    throw new Error(`${place}: unknown words after 'ts': ${unknown.join(', ')}`);
  }
  if (words.includes('redis') && !words.includes('run')) {
    throw new Error(`${place}: 'redis' belongs to a fence that runs, as in 'ts run redis'`);
  }
  return { words, ignored: undefined };
}
