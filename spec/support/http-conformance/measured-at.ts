import { execFileSync } from 'node:child_process';
import { packageRoot } from '../package-root.js';

/** The day and the commit of a run, such as `2026-11-22, commit 01b2668`; with `+` where files of the library differ from it. */
export function measuredAt(): string {
  const day = new Date().toISOString().slice(0, 10);
  try {
    const changes = git('status', '--porcelain', '--', 'src');
    return `${day}, commit ${git('rev-parse', '--short', 'HEAD')}${changes === '' ? '' : '+'}`;
  } catch {
    // No checkout of git.
    return day;
  }
}

function git(...parts: string[]): string {
  return execFileSync('git', parts, {
    cwd: packageRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
