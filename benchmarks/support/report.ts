import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentLine, root, type Environment } from './environment.js';
import { tableMarkdown, tableText, wrapText, type Table } from './table.js';
import { UsageError, type OptionValues } from './usage.js';

/** What a benchmark found, in a form that can be printed, written as a page, and as JSON. */
export interface Report {
  /** Also the name of its files. */
  readonly name: string;
  readonly title: string;
  /** What was run, as the reader would type it. */
  readonly command: string;
  readonly environment: Environment;
  /** How it was measured. */
  readonly method: string;
  readonly sections: readonly Section[];
  /** What `benchmarks/README.md` shows. @defaultValue the sections */
  readonly digest?: readonly Section[];
  /** A page that shows the same, beside `benchmarks/README.md`: its path from the root. */
  readonly page?: string;
  /** The figures for machines. */
  readonly figures: object;
}

/** A table with what is to be said about it. */
export interface Section {
  readonly title: string;
  readonly intro?: string;
  readonly table?: Table;
  readonly notes?: readonly string[];
}

const WIDTH = 100;
const FOLDER = 'benchmarks/results';
const PAGE = 'benchmarks/README.md';

/** Prints a report, and writes what `--json` and `--save` ask for. */
export async function publish(
  report: Report,
  options: OptionValues<'json' | 'save'>,
): Promise<void> {
  const text = reportText(report);
  const json = `${JSON.stringify(reportJson(report), null, 2)}\n`;
  if (options.json === '-') {
    process.stderr.write(text);
    process.stdout.write(json);
  } else process.stdout.write(text);
  if (typeof options.json === 'string' && options.json !== '-') writeJson(options.json, json);
  if (options.save === true) await save(report, json);
}

/** The report in at most 100 columns, without colours. */
export function reportText(report: Report): string {
  return `${[
    `${report.title}\n${'='.repeat(report.title.length)}`,
    wrapText(environmentLine(report.environment), WIDTH),
    wrapText(report.method, WIDTH),
    ...report.sections.map(sectionText),
  ].join('\n\n')}\n`;
}

function sectionText({ title, intro, table, notes = [] }: Section): string {
  return [
    title,
    ...(intro === undefined ? [] : [wrapText(intro, WIDTH)]),
    ...(table === undefined ? [] : [tableText(table)]),
    ...notes.map((note) => wrapText(`* ${note}`, WIDTH, '  ')),
  ].join('\n');
}

function reportMarkdown(report: Report): string {
  return [
    `# ${report.title}`,
    `\`${report.command}\`: ${environmentLine(report.environment)}.`,
    report.method,
    ...report.sections.map((section) => sectionMarkdown(section, '##')),
  ].join('\n\n');
}

function sectionMarkdown({ title, intro, table, notes = [] }: Section, heading: string): string {
  return [
    `${heading} ${title}`,
    ...(intro === undefined ? [] : [intro]),
    ...(table === undefined ? [] : [tableMarkdown(table)]),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
  ].join('\n\n');
}

function reportJson({ name, title, command, environment, method, figures }: Report): object {
  return { benchmark: name, title, command, environment, method, ...figures };
}

function writeJson(path: string, json: string): void {
  try {
    writeFileSync(path, json);
  } catch (error) {
    throw new UsageError(
      `--json: cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`,
    );
  }
}

async function save(report: Report, json: string): Promise<void> {
  const folder = join(root, FOLDER);
  mkdirSync(folder, { recursive: true });
  await writeFormatted(join(folder, `${report.name}.json`), json);
  await writeFormatted(join(folder, `${report.name}.md`), reportMarkdown(report));
  const { sections, digest = sections } = report;
  const shown = [
    `\`${report.command}\`: ${environmentLine(report.environment)}. [All figures](results/${report.name}.md).`,
    ...digest.map((section) => sectionMarkdown(section, '####')),
  ].join('\n\n');
  await writeBlock(PAGE, report.name, shown);
  if (report.page === undefined) return;
  await writeBlock(
    report.page,
    report.name,
    shown.replace('](results/', '](../benchmarks/results/'),
  );
}

/**
 * Puts a text between the marks `<!-- begin NAME -->` and `<!-- end NAME -->` of a page, named by its path from the root.
 *
 * @throws {@link UsageError} when the page has no such marks
 */
export async function writeBlock(path: string, name: string, text: string): Promise<void> {
  const file = join(root, path);
  const page = readFileSync(file, 'utf8');
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from)
    throw new UsageError(`${path} has no block '${begin} … ${end}' to write figures to`);
  await writeFormatted(
    file,
    `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`,
  );
}

/** As the check of the formatting wants it. */
async function writeFormatted(path: string, text: string): Promise<void> {
  const { format, resolveConfig } = await import('prettier');
  writeFileSync(
    path,
    await format(text, { ...(await resolveConfig(path, { editorconfig: true })), filepath: path }),
  );
}
