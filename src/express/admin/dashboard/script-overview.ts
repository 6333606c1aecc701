/** The figures, charts and tables that live on the stream. */
export const OVERVIEW_SCRIPT: string = String.raw`
/**
 * @typedef {{ count: number, p50_ms: number, p95_ms: number, p99_ms: number }} Latency
 * @typedef {{ hits: number, misses: number, stales: number, loads: number, errors: number, evictions: number,
 *   bytes_read: number, bytes_written: number, total_requests: number, hit_rate: number,
 *   hits_by_tier: { l1: number, l2: number }, latency: { read: Latency, write: Latency, load: Latency } }} Counts
 * @typedef {{ status: string, error?: string, breaker?: string }} Health
 * @typedef {{ tier: 'l1' | 'l2', hits: number, hit_rate: number | null, entries?: number, max_entries?: number,
 *   bytes?: number, max_bytes?: number, server_memory?: string, bytes_read?: number, bytes_written?: number,
 *   read?: Latency, write?: Latency }} Tier
 * @typedef {{ cache: string, key: string }} KeyOfCache
 * @typedef {{ at: number, instance: string, uptime_s: number, backend: string, enabled: boolean,
 *   health: Health, stats: Counts, tiers: Tier[], loads: Latency,
 *   caches: (Counts & { name: string })[], hidden_caches: number,
 *   hot: (KeyOfCache & { per_second: number })[], largest: (KeyOfCache & { size: number })[],
 *   store: Record<string, string | number>,
 *   activity: { id: number, at: number, kind: string, text: string }[] }} Picture
 */

/** @type {Picture | undefined} */
let before;
let lastActivity = 0;

const charts = {
  ratio: new Chart(byId('chart-ratio'), {
    title: 'Hit ratio',
    series: [{ name: 'ratio', label: 'Hits' }],
    format: percentText,
    ceiling: 1,
  }),
  requests: new Chart(byId('chart-requests'), {
    title: 'Reads per second',
    series: [{ name: 'hits', label: 'Hits' }, { name: 'misses', label: 'Misses' }, { name: 'stales', label: 'Stale' }],
    format: numberText,
  }),
  loads: new Chart(byId('chart-loads'), {
    title: 'Loads per second',
    series: [{ name: 'loads', label: 'Loads' }, { name: 'evictions', label: 'Evictions' }, { name: 'errors', label: 'Errors' }],
    format: numberText,
  }),
  latency: new Chart(byId('chart-latency'), {
    title: 'Duration of loads',
    series: [{ name: 'p50', label: 'p50' }, { name: 'p95', label: 'p95' }, { name: 'p99', label: 'p99' }],
    format: millisecondsText,
  }),
  bytes: new Chart(byId('chart-bytes'), {
    title: 'Bytes per second',
    series: [{ name: 'read', label: 'Read' }, { name: 'written', label: 'Written' }],
    format: bytesText,
  }),
  reads: new Chart(byId('chart-reads'), {
    title: 'Store reads, since reset',
    series: [{ name: 'p50', label: 'p50' }, { name: 'p95', label: 'p95' }, { name: 'p99', label: 'p99' }],
    format: millisecondsText,
  }),
};

/** @param {string} id @param {string} text @param {string} [tone] */
function setTile(id, text, tone = '') {
  const value = byId(id);
  setText(value, text);
  value.className = 'value ' + tone;
}

/** @param {Picture} picture */
function show(picture) {
  const { stats, health, store } = picture;
  const earlier = before;
  before = picture;
  const seconds = earlier === undefined ? 0 : (picture.at - earlier.at) / 1000;
  // Counters that went down were reset, or belong to another process: there is no rate between the two.
  const isContinued =
    earlier !== undefined && earlier.instance === picture.instance && seconds > 0 &&
    stats.total_requests >= earlier.stats.total_requests && stats.loads >= earlier.stats.loads;
  /** @param {'hits' | 'misses' | 'stales' | 'loads' | 'evictions' | 'errors' | 'bytes_read' | 'bytes_written'} name */
  const rate = (name) =>
    isContinued && earlier !== undefined ? Math.max(0, stats[name] - earlier.stats[name]) / seconds : null;
  const hits = rate('hits');
  const misses = rate('misses');
  const stales = rate('stales');
  const requests = hits === null ? null : hits + (misses ?? 0) + (stales ?? 0);
  const ratio = requests === null || requests === 0 || hits === null ? null : (hits + (stales ?? 0)) / requests;
  const { at, loads } = picture;
  charts.ratio.add({ at, values: { ratio } });
  charts.requests.add({ at, values: { hits, misses, stales } });
  charts.loads.add({ at, values: { loads: rate('loads'), evictions: rate('evictions'), errors: rate('errors') } });
  const ran = loads.count > 0;
  charts.latency.add({
    at,
    values: { p50: ran ? loads.p50_ms : null, p95: ran ? loads.p95_ms : null, p99: ran ? loads.p99_ms : null },
  });
  charts.bytes.add({ at, values: { read: rate('bytes_read'), written: rate('bytes_written') } });
  const { read } = stats.latency;
  const asked = read.count > 0;
  charts.reads.add({
    at,
    values: { p50: asked ? read.p50_ms : null, p95: asked ? read.p95_ms : null, p99: asked ? read.p99_ms : null },
  });
  for (const chart of Object.values(charts)) chart.draw();

  setTile('tile-ratio', percentText(stats.hit_rate));
  setTile('tile-requests', requests === null ? '–' : numberText(requests) + ' /s');
  setTile('tile-loads', numberText(stats.loads));
  setTile('tile-latency', stats.latency.load.count === 0 ? '–' : millisecondsText(stats.latency.load.p95_ms));
  setTile('tile-errors', numberText(stats.errors), stats.errors > 0 ? 'bad' : '');
  showState(health, store);
  setText(byId('identity'), picture.backend + ' · instance ' + picture.instance + ' · up ' + spanText(Math.max(1, picture.uptime_s)));
  showTiers(picture.tiers);
  showCaches(picture);
  showTop('hot', picture.hot, (each) => numberText(each.per_second) + ' /s');
  showTop('largest', picture.largest, (each) => bytesText(each.size));
  showFacts(store);
  showActivity(picture.activity);
}

/** What the page says where a store has no breaker. */
const stateNotes = new Map([
  ['healthy', 'has no breaker'],
  ['degraded', 'usable in part'],
  ['unhealthy', 'does not answer'],
  ['unavailable', 'not connected, or closed'],
  ['disabled', 'caching is switched off'],
]);

/** How the store is, what its breaker lets through, and whether other processes are heard.
 * @param {Health} health @param {Record<string, string | number>} store */
function showState({ status, error, breaker }, store) {
  const tone = status === 'healthy' ? 'good' : status === 'disabled' ? '' : status === 'degraded' ? 'warn' : 'bad';
  setTile('tile-store', status, tone);
  const note = breaker === undefined ? (stateNotes.get(status) ?? '') : 'breaker ' + breaker;
  setText(byId('note-store'), note + (error === undefined ? '' : ', ' + error));
  const bus = store['bus'];
  const suspected = Number(store['suspected'] ?? 0);
  if (typeof bus !== 'string') {
    setTile('tile-bus', 'none');
    setText(byId('note-bus'), status === 'unhealthy' ? 'not known' : 'one tier, or no other process');
    return;
  }
  const isDeaf = store['bus_status'] !== 'healthy';
  setTile('tile-bus', isDeaf ? 'deaf' : suspected > 0 ? suspected + ' silent' : 'hears all', isDeaf ? 'bad' : suspected > 0 ? 'warn' : 'good');
  setText(byId('note-bus'), bus + ', ' + countText(Number(store['senders'] ?? 0), 'other process', 'other processes') + ', distrusted ' + countText(Number(store['distrusts'] ?? 0), 'time', 'times'));
}

/**
 * @template {KeyOfCache} Item
 * @param {string} id @param {Item[]} items @param {(item: Item) => string} measure
 */
function showTop(id, items, measure) {
  const list = byId(id);
  // Nothing moves while somebody is about to press it.
  if (list.matches(':hover, :focus-within')) return;
  list.replaceChildren(
    ...items.map((item) => {
      const open = makeButton('', 'key', () => showEntry(item.cache, item.key), 'Look at ' + item.key + ' of ' + item.cache);
      open.append(make('bdi', {}, item.key), make('small', {}, item.cache));
      return make('li', {}, open, make('span', { class: 'number' }, measure(item)));
    }),
  );
  byId(id + '-none').hidden = items.length > 0;
}

/** @param {Record<string, string | number>} store */
function showFacts(store) {
  const facts = Object.entries(store);
  const texts = facts.map(([name, fact]) => name + '=' + fact).join();
  const list = byId('facts');
  byId('no-facts').hidden = facts.length > 0;
  if (list.dataset['shown'] === texts) return;
  list.dataset['shown'] = texts;
  list.replaceChildren(
    ...facts.map(([name, fact]) =>
      make('div', {}, make('dt', {}, name.replaceAll('_', ' ')), make('dd', {}, typeof fact === 'number' ? numberText(fact) : fact)),
    ),
  );
}

/** @param {Picture['activity']} activity */
function showActivity(activity) {
  const last = activity[activity.length - 1];
  byId('no-activity').hidden = last !== undefined;
  if (last === undefined || last.id === lastActivity) return;
  lastActivity = last.id;
  byId('activity').replaceChildren(
    ...[...activity].reverse().map(({ at, kind, text }) =>
      make(
        'li',
        {},
        make('time', { datetime: new Date(at).toISOString() }, new Date(at).toLocaleTimeString()),
        make('span', { class: 'kind ' + kind }, kind),
        make('bdi', {}, text),
      ),
    ),
  );
}
`;
