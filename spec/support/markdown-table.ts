import { readFileSync } from 'node:fs';

/** The rows of the table of a page of docs/ that has this header, each a list of cells as written. */
export function markdownTable(page: string, header: string): string[][] {
  const url = new URL(`../docs/${page}`, import.meta.resolve('#internal/errors.js'));
  const lines = readFileSync(url, 'utf8').split('\n');
  const start = lines.findIndex((line) => cells(line).join('|') === header);
  if (start === -1) throw new Error(`docs/${page} has no table with the header ${header}`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    rows.push(cells(line));
  }
  return rows;
}

/** The texts in backticks of a cell. */
export function codeSpans(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), (match) => match[1]!);
}

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
