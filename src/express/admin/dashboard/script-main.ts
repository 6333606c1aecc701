/** Logging in, and keeping the stream alive. */
export const MAIN_SCRIPT: string = String.raw`
let isPaused = false;
let attempts = 0;
/** @type {AbortController | undefined} */
let streaming;

/** @param {string} text @param {string} tone */
function setConnection(text, tone) {
  const state = byId('connection');
  setText(state, text);
  state.className = 'pill ' + tone;
}

/** @param {string} reason */
function askForToken(reason) {
  streaming?.abort();
  keepToken('');
  byId('content').hidden = true;
  byId('actions').hidden = true;
  byId('login').hidden = false;
  // The next one at this screen need not be the same person.
  byId('keys').replaceChildren();
  pageNumber = 0;
  setText(byId('login-note'), reason);
  setConnection('not logged in', '');
  inputById('token').focus();
}

async function connect() {
  streaming?.abort();
  const controller = new AbortController();
  streaming = controller;
  setConnection('connecting', '');
  let fault = '';
  try {
    await readEvents(controller.signal, (event, data) => {
      if (event === 'snapshot') {
        attempts = 0;
        byId('login').hidden = true;
        byId('content').hidden = false;
        byId('actions').hidden = false;
        byId('logout').hidden = token === '';
        setConnection(isPaused ? 'paused' : 'live', isPaused ? '' : 'good');
        if (!isPaused) show(data);
        if (pageNumber === 0) void browse('0');
      }
    });
  } catch (error) {
    if (controller.signal.aborted) return;
    if (error instanceof ApiError && error.status === 401) {
      askForToken(token === '' ? '' : 'The token is not valid.');
      return;
    }
    fault = error instanceof ApiError ? error.message : '';
  }
  if (controller.signal.aborted) return;
  setConnection(fault === '' ? 'reconnecting' : fault, 'warn');
  attempts++;
  // Not all pages at once, and no longer apart than a quarter of a minute.
  const delayMs = Math.min(15000, 500 * 2 ** Math.min(attempts, 5)) * (0.5 + Math.random());
  setTimeout(() => {
    if (streaming === controller) void connect();
  }, delayMs);
}

byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  keepToken(inputById('token').value.trim());
  inputById('token').value = '';
  void connect().catch(report);
});
byId('logout').addEventListener('click', () => askForToken('Logged out.'));
byId('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  byId('pause').setAttribute('aria-pressed', String(isPaused));
  setConnection(isPaused ? 'paused' : 'live', isPaused ? '' : 'good');
});
byId('reset').addEventListener('click', resetCounters);
byId('clear-all').addEventListener('click', clearAll);
byId('clear-matching').addEventListener('click', clearMatching);
byId('search').addEventListener('submit', (event) => {
  event.preventDefault();
  void browse('0');
});
byId('by-tag').addEventListener('submit', (event) => {
  event.preventDefault();
  clearTag();
});
byId('next').addEventListener('click', () => void browse(nextCursor));
byId('first').addEventListener('click', () => void browse('0'));
byId('confirm-no').addEventListener('click', () => dialogById('confirm').close());
byId('entry-close').addEventListener('click', () => dialogById('entry').close());

if (token === '' && document.body.dataset['login'] === 'token') askForToken('');
else void connect().catch(report);
`;
