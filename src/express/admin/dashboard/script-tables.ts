/** The tables of tiers and caches. */
export const TABLES_SCRIPT: string = String.raw`
/**
 * Rows by name. They stay where they are, so that a button does not move away under a finger or lose the focus.
 * @type {Map<string, HTMLElement[]>}
 */
const rows = new Map();
let cacheCount = 0;

/** @param {string} id @param {string} name @param {HTMLElement[]} cells @param {...HTMLElement} others */
function addRow(id, name, cells, ...others) {
  byId(id).append(make('tr', {}, make('th', { scope: 'row' }, name), ...cells, ...others));
}

/** @param {number} count @returns {HTMLElement[]} */
function numberCells(count) {
  return Array.from({ length: count }, () => make('td', { class: 'number' }));
}

/** @param {HTMLElement[]} cells @param {string[]} texts */
function fillCells(cells, texts) {
  cells.forEach((cell, index) => setText(cell, texts[index] ?? ''));
}

/** Median, 95th and 99th percentile.
 * @param {Latency | undefined} latency */
function spreadText(latency) {
  if (latency === undefined || latency.count === 0) return '–';
  const { p50_ms: p50, p95_ms: p95, p99_ms: p99 } = latency;
  return [p50, p95, p99].map(millisecondsText).join(' / ');
}

/** @param {number | undefined} value @param {number | undefined} limit @param {(value: number) => string} format */
function boundedText(value, limit, format) {
  if (value === undefined) return '–';
  return limit === undefined ? format(value) : format(value) + ' of ' + format(limit);
}

const tierNames = { l1: 'This process (l1)', l2: 'Shared store (l2)' };

/** @param {Tier[]} tiers */
function showTiers(tiers) {
  for (const tier of tiers) {
    let cells = rows.get(tier.tier);
    if (cells === undefined) {
      cells = numberCells(8);
      addRow('tiers', tierNames[tier.tier], cells);
      rows.set(tier.tier, cells);
    }
    const memory = boundedText(tier.bytes, tier.max_bytes, bytesText);
    fillCells(cells, [
      numberText(tier.hits),
      tier.hit_rate === null ? '–' : percentText(tier.hit_rate),
      boundedText(tier.entries, tier.max_entries, numberText),
      tier.server_memory === undefined ? memory : tier.server_memory + ' of the server',
      tier.bytes_read === undefined ? '–' : bytesText(tier.bytes_read),
      tier.bytes_written === undefined ? '–' : bytesText(tier.bytes_written),
      spreadText(tier.read),
      spreadText(tier.write),
    ]);
  }
}

/** @param {Picture} picture */
function showCaches({ caches, hidden_caches: hidden }) {
  const select = /** @type {HTMLSelectElement} */ (byId('cache'));
  for (const cache of caches) {
    const row = 'cache ' + cache.name;
    let cells = rows.get(row);
    if (cells === undefined) {
      cells = numberCells(9);
      const clear = makeButton('Clear…', 'small danger', () => clearCache(cache.name), 'Clear the cache ' + cache.name);
      addRow('caches', cache.name, cells, make('td', {}, clear));
      rows.set(row, cells);
      cacheCount++;
      select.append(make('option', { value: cache.name }, cache.name));
    }
    fillCells(cells, [
      numberText(cache.total_requests),
      cache.total_requests === 0 ? '–' : percentText(cache.hit_rate),
      numberText(cache.hits_by_tier.l1) + ' / ' + numberText(cache.hits_by_tier.l2),
      spreadText(cache.latency.read),
      numberText(cache.loads),
      spreadText(cache.latency.load),
      bytesText(cache.bytes_read) + ' / ' + bytesText(cache.bytes_written),
      numberText(cache.evictions),
      numberText(cache.errors),
    ]);
  }
  setText(byId('hidden-caches'), hidden > 0 ? hidden + ' quieter caches are not shown.' : '');
  byId('no-caches').hidden = cacheCount > 0;
}
`;
