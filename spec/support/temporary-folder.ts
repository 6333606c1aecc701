import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** An empty folder for a server of a spec. It goes when the process ends. */
export function temporaryFolder(name: string): string {
  // Not before it is needed: the servers that write into it are killed first, by whoever has come before.
  if (folders.length === 0) {
    process.on('exit', () => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });
  }
  const folder = mkdtempSync(join(tmpdir(), `cachewell-${name}-`));
  folders.push(folder);
  return folder;
}
