/** The page's body. It holds no data: all of it comes over the API, behind the same guard as everything else. */
export const MARKUP: string = `
<header>
  <div class="title">
    <h1>cachewell</h1>
    <p id="identity" class="muted"></p>
  </div>
  <p id="connection" class="pill" role="status">connecting</p>
  <div id="actions" class="actions" hidden>
    <button type="button" id="pause" aria-pressed="false">Pause</button>
    <button type="button" id="reset">Reset counters…</button>
    <button type="button" id="clear-all" class="danger">Clear everything…</button>
    <button type="button" id="logout" hidden>Log out</button>
  </div>
</header>
<p id="notice" class="notice" role="status" aria-live="polite"></p>
<form id="login" class="card login" autocomplete="off" hidden>
  <h2>Log in</h2>
  <p id="login-note" class="muted" role="alert"></p>
  <label for="token">Admin token</label>
  <input id="token" type="password" autocomplete="off" spellcheck="false" required>
  <button type="submit" class="primary">Log in</button>
</form>
<main id="content" hidden>
  <section aria-labelledby="now">
    <h2 id="now" class="visually-hidden">Now</h2>
    <dl class="tiles">
      <div class="card"><dt>Hit ratio</dt><dd id="tile-ratio" class="value">–</dd><dd class="muted">since start or reset</dd></div>
      <div class="card"><dt>Reads</dt><dd id="tile-requests" class="value">–</dd><dd class="muted">at present</dd></div>
      <div class="card"><dt>Loads</dt><dd id="tile-loads" class="value">–</dd><dd class="muted">since start or reset</dd></div>
      <div class="card"><dt>Load time</dt><dd id="tile-latency" class="value">–</dd><dd class="muted">95th percentile</dd></div>
      <div class="card"><dt>Store</dt><dd id="tile-store" class="value">–</dd><dd id="note-store" class="muted"></dd></div>
      <div class="card"><dt>Bus</dt><dd id="tile-bus" class="value">–</dd><dd id="note-bus" class="muted"></dd></div>
      <div class="card"><dt>Errors</dt><dd id="tile-errors" class="value">–</dd><dd class="muted">of the cache itself</dd></div>
    </dl>
  </section>
  <section aria-labelledby="trends">
    <h2 id="trends">Trends</h2>
    <div class="charts">
      <div class="card" id="chart-ratio"></div>
      <div class="card" id="chart-requests"></div>
      <div class="card" id="chart-loads"></div>
      <div class="card" id="chart-latency"></div>
      <div class="card" id="chart-bytes"></div>
      <div class="card" id="chart-reads"></div>
    </div>
  </section>
  <section aria-labelledby="tiers-title">
    <h2 id="tiers-title">Tiers</h2>
    <div class="card scroll" tabindex="0" role="region" aria-labelledby="tiers-title">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Tier</th>
            <th scope="col" class="number">Hits</th>
            <th scope="col" class="number">Hit ratio</th>
            <th scope="col" class="number">Entries</th>
            <th scope="col" class="number">Memory</th>
            <th scope="col" class="number">Bytes read</th>
            <th scope="col" class="number">Bytes written</th>
            <th scope="col" class="number spread">Reads, p50 / p95 / p99</th>
            <th scope="col" class="number spread">Writes, p50 / p95 / p99</th>
          </tr>
        </thead>
        <tbody id="tiers"></tbody>
      </table>
      <p class="muted">A tier's hit ratio is that of the reads that came to it. Reads from this process' memory are not timed.</p>
    </div>
  </section>
  <section aria-labelledby="caches-title">
    <h2 id="caches-title">Caches</h2>
    <div class="card scroll" tabindex="0" role="region" aria-labelledby="caches-title">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Cache</th>
            <th scope="col" class="number">Reads</th>
            <th scope="col" class="number">Hit ratio</th>
            <th scope="col" class="number">Hits l1 / l2</th>
            <th scope="col" class="number spread">Store reads, p50 / p95 / p99</th>
            <th scope="col" class="number">Loads</th>
            <th scope="col" class="number spread">Loads, p50 / p95 / p99</th>
            <th scope="col" class="number">Bytes read / written</th>
            <th scope="col" class="number">Evicted</th>
            <th scope="col" class="number">Errors</th>
            <th scope="col"><span class="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody id="caches"></tbody>
      </table>
      <p id="no-caches" class="muted">No cache was used yet.</p>
      <p id="hidden-caches" class="muted"></p>
    </div>
  </section>
  <div class="pair">
    <section aria-labelledby="hot-title">
      <h2 id="hot-title">Hottest keys</h2>
      <div class="card">
        <ol id="hot" class="top"></ol>
        <p id="hot-none" class="muted">Nothing was read since this page was opened.</p>
      </div>
    </section>
    <section aria-labelledby="largest-title">
      <h2 id="largest-title">Largest keys, of a sample</h2>
      <div class="card">
        <ol id="largest" class="top"></ol>
        <p id="largest-none" class="muted">Nothing was measured yet.</p>
      </div>
    </section>
  </div>
  <section aria-labelledby="keys-title">
    <h2 id="keys-title">Keys</h2>
    <div class="card">
      <form id="search" class="row">
        <div class="field">
          <label for="cache">Cache</label>
          <select id="cache"><option value="">all caches</option></select>
        </div>
        <div class="field grow">
          <label for="pattern">Pattern</label>
          <input id="pattern" type="search" placeholder="GET:items:*" autocomplete="off" spellcheck="false">
        </div>
        <button type="submit" class="primary">Search</button>
        <button type="button" id="clear-matching" class="danger">Clear matching…</button>
      </form>
      <p id="keys-summary" class="muted" role="status"></p>
      <div class="scroll tall" tabindex="0" role="region" aria-labelledby="keys-title">
        <table id="keys-table">
          <thead>
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Cache</th>
              <th scope="col" class="number">Fresh for</th>
              <th scope="col" class="number wide">Size</th>
              <th scope="col"><span class="visually-hidden">Actions</span></th>
            </tr>
          </thead>
          <tbody id="keys"></tbody>
        </table>
      </div>
      <div class="row">
        <button type="button" id="first" disabled>First page</button>
        <button type="button" id="next" disabled>Next page</button>
      </div>
      <form id="by-tag" class="row">
        <div class="field grow">
          <label for="tag">Tag</label>
          <input id="tag" type="text" autocomplete="off" spellcheck="false">
        </div>
        <button type="submit" class="danger">Clear tag…</button>
      </form>
    </div>
  </section>
  <div class="pair">
    <section aria-labelledby="activity-title">
      <h2 id="activity-title">Activity</h2>
      <div class="card">
        <ul id="activity" class="activity"></ul>
        <p id="no-activity" class="muted">No fault and no invalidation since this page was opened.</p>
      </div>
    </section>
    <section aria-labelledby="facts-title">
      <h2 id="facts-title">Facts about the store</h2>
      <div class="card">
        <dl id="facts" class="facts"></dl>
        <p id="no-facts" class="muted">The store tells nothing.</p>
      </div>
    </section>
  </div>
</main>
<dialog id="entry" aria-labelledby="entry-key">
  <h2 id="entry-key" class="key-text"></h2>
  <dl id="entry-facts" class="facts"></dl>
  <pre id="entry-value" tabindex="0" role="region" aria-label="Value"></pre>
  <p id="entry-note" class="muted"></p>
  <div class="row end">
    <button type="button" id="entry-evict" class="danger">Evict…</button>
    <button type="button" id="entry-close">Close</button>
  </div>
</dialog>
<dialog id="confirm" role="alertdialog" aria-labelledby="question">
  <p id="question" class="key-text"></p>
  <div class="row end">
    <button type="button" id="confirm-no">Cancel</button>
    <button type="button" id="confirm-yes" class="danger solid">Clear</button>
  </div>
</dialog>
<noscript><p class="card">This page needs JavaScript.</p></noscript>
`;
