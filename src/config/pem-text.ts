import { readFileSync } from 'node:fs';

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;

/** Whether a text holds at least one certificate in PEM form (RFC 7468). */
export function isPemText(value: string): boolean {
  return CERTIFICATE.test(value);
}

/**
 * The PEM text that a variable gives: itself, or the content of the file that it names. An environment that cannot
 * carry line breaks may write them as `\n`.
 */
export function readPemText(raw: string): string | undefined {
  if (isPemText(raw)) return raw.trim().replaceAll('\\n', '\n');
  try {
    const content = readFileSync(raw.trim(), 'utf8');
    return isPemText(content) ? content : undefined;
  } catch {
    // Absent, a folder, not ours to read: all the same to the caller, who reports it with the variable's name.
    return undefined;
  }
}
