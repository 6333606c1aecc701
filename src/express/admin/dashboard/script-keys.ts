/** The browser of keys, the view of one entry, and everything that changes the cache; each change after a question. */
export const KEYS_SCRIPT: string = String.raw`
/** @typedef {{ key: string, cache: string, ttl: number | null, size: number }} Listed */

const PAGE_SIZE = 100;
/** How often the server is asked for one page. */
const MAX_QUESTIONS = 20;
/** @type {string} */
let nextCursor = '0';
let pageNumber = 0;

/** @param {unknown} error */
function report(error) {
  if (error instanceof ApiError && error.status === 401) askForToken('Your login is no longer valid.');
  else announce(error instanceof Error ? error.message : 'It failed.', true);
}

/** @param {string} cursor */
async function browse(cursor) {
  const cache = /** @type {HTMLSelectElement} */ (byId('cache')).value;
  const pattern = inputById('pattern').value;
  byId('keys-table').setAttribute('aria-busy', 'true');
  // What comes meanwhile does not ask again.
  if (cursor === '0') pageNumber = 1;
  else pageNumber++;
  try {
    /** @type {Listed[]} */
    const keys = [];
    let next = cursor;
    // A page of the store may hold few keys that match, or none, though there are more.
    for (let questions = 0; questions < MAX_QUESTIONS; questions++) {
      const page = await askJson('GET', 'keys' + queryText({
        cache: cache === '' ? undefined : cache,
        pattern: pattern === '' ? undefined : pattern,
        cursor: next,
        count: String(PAGE_SIZE - keys.length),
      }));
      keys.push(...page.keys);
      next = String(page.cursor);
      if (next === '0' || keys.length >= PAGE_SIZE) break;
    }
    nextCursor = next;
    showKeys(keys);
  } catch (error) {
    report(error);
  } finally {
    byId('keys-table').removeAttribute('aria-busy');
  }
}

/** @param {Listed[]} keys */
function showKeys(keys) {
  byId('keys').replaceChildren(...keys.map(keyRow));
  const more = nextCursor !== '0';
  setText(
    byId('keys-summary'),
    keys.length === 0 && !more
      ? 'No keys match.'
      : keys.length + (keys.length === 1 ? ' key' : ' keys') + ' on page ' + pageNumber + (more ? '; there may be more.' : ', the last one.'),
  );
  /** @type {HTMLButtonElement} */ (byId('next')).disabled = !more;
  /** @type {HTMLButtonElement} */ (byId('first')).disabled = pageNumber <= 1;
}

/** @param {Listed} listed */
function keyRow({ key, cache, ttl, size }) {
  const row = make('tr', {});
  const open = makeButton('', 'key', () => showEntry(cache, key), 'Look at ' + key + ' of ' + cache);
  open.append(make('bdi', {}, key));
  const evict = makeButton('Evict…', 'small danger', () => evictKey(cache, key, row), 'Evict ' + key + ' from ' + cache);
  row.append(
    make('th', { scope: 'row' }, open),
    make('td', {}, cache),
    make('td', { class: 'number' }, spanText(ttl)),
    make('td', { class: 'number wide' }, bytesText(size)),
    make('td', {}, evict),
  );
  return row;
}

/** @param {string} cache @param {string} key */
function entryPath(cache, key) {
  return 'keys/' + encodeURIComponent(key) + queryText({ cache });
}

/** @param {string} cache @param {string} key */
async function showEntry(cache, key) {
  try {
    const entry = await askJson('GET', entryPath(cache, key));
    setText(byId('entry-key'), key);
    const facts = [
      ['Cache', cache],
      ['Fresh for', spanText(entry.ttl)],
      ['Stored', entry.age === 0 ? 'just now' : spanText(entry.age) + ' ago'],
      ['Size', 'about ' + bytesText(entry.size)],
      ['Tier', entry.tier],
      ['Tags', entry.tags.length === 0 ? 'none' : entry.tags.join(', ')],
      ['Loaded in', entry.load_cost_ms === 0 ? '–' : millisecondsText(entry.load_cost_ms)],
    ];
    if (entry.kind === 'error') facts.push(['Kind', 'a stored error']);
    byId('entry-facts').replaceChildren(
      ...facts.map(([name, fact]) => make('div', {}, make('dt', {}, String(name)), make('dd', {}, String(fact)))),
    );
    const { value } = entry;
    setText(byId('entry-value'), value === undefined ? 'Values are not shown here.' : value.text);
    setText(byId('entry-note'), value !== undefined && value.truncated ? 'The value is longer than what is shown.' : '');
    const evict = byId('entry-evict');
    evict.onclick = () => {
      dialogById('entry').close();
      evictKey(cache, key);
    };
    dialogById('entry').showModal();
    byId('entry-close').focus();
  } catch (error) {
    report(error);
  }
}

/**
 * Asks before something is lost. The safe answer has the focus.
 * @param {string} question @param {string} label @param {() => Promise<string>} act - gives what to announce
 * @param {() => void} [after]
 */
function confirmThen(question, label, act, after) {
  setText(byId('question'), question);
  const yes = byId('confirm-yes');
  setText(yes, label);
  yes.onclick = async () => {
    dialogById('confirm').close();
    try {
      announce(await act());
      after?.();
    } catch (error) {
      report(error);
    }
  };
  dialogById('confirm').showModal();
  byId('confirm-no').focus();
}

/** @param {string} cache @param {string} key @param {HTMLTableRowElement} [row] */
function evictKey(cache, key, row) {
  confirmThen(
    'Evict ' + key + ' from ' + cache + '?',
    'Evict',
    async () => {
      await askJson('DELETE', entryPath(cache, key));
      return 'Evicted ' + key + '.';
    },
    () => {
      const gone = row ?? [...byId('keys').children].find(
        (each) => each.children[0]?.textContent === key && each.children[1]?.textContent === cache,
      );
      if (gone === undefined) return;
      // The focus goes on to the next key, not back to the top of the page.
      const neighbour = gone.nextElementSibling ?? gone.previousElementSibling;
      gone.remove();
      (neighbour?.querySelector('button') ?? inputById('pattern')).focus();
    },
  );
}

/** @param {any} answer */
function clearedText(answer) {
  return typeof answer.cleared === 'number' ? 'Cleared ' + numberText(answer.cleared) + ' keys.' : 'Cleared.';
}

/** @param {string} cache */
function clearCache(cache) {
  confirmThen('Clear every entry of the cache ' + cache + '?', 'Clear', async () =>
    clearedText(await askJson('POST', 'clear' + queryText({ cache }))), () => void browse('0'));
}

function clearMatching() {
  const cache = /** @type {HTMLSelectElement} */ (byId('cache')).value;
  const pattern = inputById('pattern').value;
  if (pattern === '') {
    announce('Enter a pattern first.', true);
    inputById('pattern').focus();
    return;
  }
  confirmThen(
    'Clear the keys that match ' + pattern + ' in ' + (cache === '' ? 'all caches' : cache) + '?',
    'Clear',
    async () => clearedText(await askJson('POST', 'clear' + queryText({ pattern, cache: cache === '' ? undefined : cache }))),
    () => void browse('0'),
  );
}

function clearTag() {
  const tag = inputById('tag').value;
  if (tag === '') {
    announce('Enter a tag first.', true);
    inputById('tag').focus();
    return;
  }
  confirmThen('Clear the entries of all caches with the tag ' + tag + '?', 'Clear', async () =>
    clearedText(await askJson('POST', 'clear' + queryText({ tag }))), () => void browse('0'));
}

function clearAll() {
  confirmThen('Clear everything, in all caches and for all processes?', 'Clear everything', async () =>
    clearedText(await askJson('POST', 'clear')), () => void browse('0'));
}

function resetCounters() {
  confirmThen('Set the counters of this process to zero?', 'Reset', async () => {
    await askJson('POST', 'stats/reset');
    return 'The counters begin anew.';
  });
}
`;
