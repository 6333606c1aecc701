/** How the dashboard talks to the admin API beside which it lies. */
export const API_SCRIPT: string = String.raw`
const TOKEN_NAME = 'cachewell-admin-token';
/** Kept until the tab is closed; empty where the browser logs in by itself, by cookies. */
let token = readToken();

function readToken() {
  try {
    return sessionStorage.getItem(TOKEN_NAME) ?? '';
  } catch {
    // Storage is switched off: the token lives as long as the page.
    return '';
  }
}

/** @param {string} given */
function keepToken(given) {
  token = given;
  try {
    if (given === '') sessionStorage.removeItem(TOKEN_NAME);
    else sessionStorage.setItem(TOKEN_NAME, given);
  } catch {
    // See above.
  }
}

class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {Record<string, string | undefined>} parameters */
function queryText(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  const text = query.toString();
  return text === '' ? '' : '?' + text;
}

/**
 * @param {string} method
 * @param {string} path - relative to the page
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
async function ask(method, path, signal) {
  /** @type {RequestInit} */
  const init = { method, cache: 'no-store', redirect: 'error', headers: {} };
  if (token !== '') init.headers = { Authorization: 'Bearer ' + token };
  if (signal !== undefined) init.signal = signal;
  const response = await fetch(path, init);
  if (response.ok) return response;
  let message = 'The server answered with status ' + response.status + '.';
  try {
    message = (await response.json()).error.message;
  } catch {
    // Not from the admin itself.
  }
  throw new ApiError(response.status, String(message));
}

/** @param {string} method @param {string} path @returns {Promise<any>} */
async function askJson(method, path) {
  const response = await ask(method, path);
  return response.status === 204 ? {} : response.json();
}

/**
 * Reads server-sent events. EventSource cannot send a token, so the stream is read by hand.
 * @param {AbortSignal} signal
 * @param {(event: string, data: any) => void} onEvent
 */
async function readEvents(signal, onEvent) {
  const response = await ask('GET', 'events', signal);
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end === -1) break;
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      let event = 'message';
      let data = '';
      for (const line of block.split('\n')) {
        if (line.startsWith('event: ')) event = line.slice(7);
        else if (line.startsWith('data: ')) data += line.slice(6);
      }
      if (data !== '') onEvent(event, JSON.parse(data));
    }
  }
}
`;
