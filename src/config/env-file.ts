import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { EnvironmentVariables } from './environment-variables.js';

/** The file that is read when none is named, relative to the working directory. */
const DEFAULT_ENV_FILE = '.env';

/** A file's variables, or why there are none. */
type EnvFileRead = { readonly variables: EnvironmentVariables } | { readonly fault: string };

/**
 * Reads a `.env` file.
 *
 * Node's own `util.parseEnv` does the parsing: it is what `node --env-file` uses, so a file means the same whichever
 * way it is loaded, and the `dotenv` package would be one more peer to read the same grammar.
 *
 * @param file - path; `undefined` = `.env`, which may be absent; `false` = no file
 */
export function readEnvFile(file: string | false | undefined): EnvFileRead {
  if (file === false) return { variables: {} };
  const path = file ?? DEFAULT_ENV_FILE;
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (file === undefined && code === 'ENOENT') return { variables: {} };
    return { fault: `envFile: expected the path of a readable file, got '${path}' (${code})` };
  }
  // Editors on Windows begin a file with a byte order mark, which would become part of the first name.
  return { variables: parseEnv(content.replace(/^\uFEFF/, '')) };
}
