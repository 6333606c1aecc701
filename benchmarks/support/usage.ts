import { inspect, parseArgs, type ParseArgsConfig } from 'node:util';

/** The command line, or a file that it names, is wrong: one line for the user, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** An option of a benchmark. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** How its value is called in the usage, such as `FILE`. */
  readonly value?: string;
  readonly meaning: string;
}

/** Values by option; `undefined` = not given. */
export type OptionValues<Name extends string> = Readonly<
  Record<Name, string | boolean | undefined>
>;

/** What every benchmark understands. */
export const COMMON_OPTIONS = {
  rounds: { type: 'string', value: 'N', meaning: 'rounds that count' },
  quick: { type: 'boolean', meaning: 'short rounds, for a first look' },
  json: {
    type: 'string',
    value: 'FILE',
    meaning: 'writes the figures as JSON; - = to standard output, the tables to standard error',
  },
  save: {
    type: 'boolean',
    meaning: 'writes the figures into benchmarks/results and benchmarks/README.md',
  },
  help: { type: 'boolean', meaning: 'this text' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** @throws {@link UsageError} for an option that does not exist, or lacks its value */
export function readOptions<Name extends string>(
  specs: Readonly<Record<Name, OptionSpec>>,
  args: readonly string[] = process.argv.slice(2),
): OptionValues<Name> {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { type }] of Object.entries<OptionSpec>(specs)) options[name] = { type };
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
      .values as OptionValues<Name>;
  } catch (error) {
    // The rest of Node's message explains positional arguments, which there are none of.
    const [sentence] = (error as Error).message.split(/\. |\n/, 1);
    throw new UsageError(
      `${sentence}. Options: ${Object.keys(specs)
        .map((name) => `--${name}`)
        .join(', ')}`,
    );
  }
}

/** What `--help` prints. */
export function usageText(
  command: string,
  specs: Readonly<Record<string, OptionSpec>>,
  footer?: string,
): string {
  const heads = Object.entries(specs).map(
    ([name, { value }]) => `  --${name}${value === undefined ? '' : ` ${value}`}`,
  );
  const width = Math.max(...heads.map(({ length }) => length));
  return [
    `usage: ${command} [-- options]`,
    ...Object.values(specs).map(
      ({ meaning }, index) => `${heads[index]!.padEnd(width)}  ${meaning}`,
    ),
    ...(footer === undefined ? [] : ['', footer]),
  ].join('\n');
}

/** @throws {@link UsageError} when the text is no whole number within bounds */
export function wholeNumber(
  option: string,
  text: string | boolean | undefined,
  { absent, min, max = Number.MAX_SAFE_INTEGER }: { absent: number; min: number; max?: number },
): number {
  if (text === undefined) return absent;
  const number = Number(text);
  if (typeof text === 'string' && /^\d+$/.test(text) && number >= min && number <= max)
    return number;
  const upper = max === Number.MAX_SAFE_INTEGER ? '' : ` and <= ${max}`;
  throw new UsageError(
    `--${option}: expected a whole number >= ${min}${upper}, got ${inspect(text)}`,
  );
}

/**
 * Runs a benchmark's main function with the options of the command line, or prints what `--help` asks for, with a footer. A
 * {@link UsageError} ends it with its message and exit code 2.
 */
export async function runMain<Name extends string>(
  command: string,
  specs: Readonly<Record<Name | 'help', OptionSpec>>,
  main: (options: OptionValues<Name | 'help'>) => Promise<void>,
  footer?: string,
): Promise<void> {
  // A reader that has seen enough, such as `head`, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    const options = readOptions(specs);
    if (options.help === true) process.stdout.write(`${usageText(command, specs, footer)}\n`);
    else await main(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 2;
  }
}
