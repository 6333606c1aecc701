import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
let binary: string | undefined;

/** `CHROMIUM_BIN`, the one on the path, or on Debian, as root, the one of the package. */
export function chromiumBinary(): string {
  binary ??= findBinary() ?? installBinary();
  return binary;
}

function findBinary(): string | undefined {
  const named = process.env['CHROMIUM_BIN'];
  if (named !== undefined && named !== '') return named;
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

function installBinary(): string {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    execFileSync('apt-get', ['update'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const found = findBinary();
    if (found !== undefined) return found;
  }
  throw new Error(
    'These specs need a Chromium: install the package chromium (or Google Chrome), or name the binary in CHROMIUM_BIN.',
  );
}
