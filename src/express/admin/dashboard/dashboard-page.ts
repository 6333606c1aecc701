import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponse } from '../../http-middleware.js';
import { MARKUP } from './markup.js';
import { API_SCRIPT } from './script-api.js';
import { CHART_SCRIPT } from './script-chart.js';
import { ELEMENTS_SCRIPT } from './script-elements.js';
import { KEYS_SCRIPT } from './script-keys.js';
import { MAIN_SCRIPT } from './script-main.js';
import { OVERVIEW_SCRIPT } from './script-overview.js';
import { TABLES_SCRIPT } from './script-tables.js';
import { STYLE } from './style.js';

/** The page's script: its parts share one module scope. */
export const DASHBOARD_SCRIPT: string = [
  ELEMENTS_SCRIPT,
  CHART_SCRIPT,
  API_SCRIPT,
  OVERVIEW_SCRIPT,
  TABLES_SCRIPT,
  KEYS_SCRIPT,
  MAIN_SCRIPT,
].join('');

/** The page, the same for everyone: what it shows, it asks for. */
function pageBytes(login: 'token' | 'browser'): Buffer {
  return Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Cache · cachewell</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body data-login="${login}">${MARKUP}<script type="module">${DASHBOARD_SCRIPT}</script>
</body>
</html>
`);
}

/** The page that asks for a token before it asks the server for anything, and the one whose browser logs in by itself. */
const PAGES: Readonly<Record<'public' | 'guarded', Buffer>> = {
  public: pageBytes('token'),
  guarded: pageBytes('browser'),
};

/**
 * Nothing but this very script and style sheet, and requests to where the page came from (CSP level 3). Should a key or
 * value ever get into the markup, it could neither run nor load anything; with Trusted Types the script cannot even try.
 */
const POLICY = [
  "default-src 'none'",
  `script-src '${digest(DASHBOARD_SCRIPT)}'`,
  `style-src '${digest(STYLE)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Answers with the page. */
export function sendPage(
  req: HttpRequest,
  res: HttpResponse,
  access: 'public' | 'guarded',
): undefined {
  const page = PAGES[access];
  res.statusCode = 200;
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.setHeader('Content-Length', page.length);
  res.setHeader('Content-Security-Policy', POLICY);
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  res.setHeader('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
  if (req.method === 'HEAD') res.end();
  else res.end(page);
  return undefined;
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
