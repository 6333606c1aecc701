/** The page's style sheet. Pairs of colours have a contrast of 4.5 : 1 and more, in both schemes; a spec computes it. */
export const STYLE: string = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --card: #ffffff; --edge: #d5dbe2; --control: #75808f;
  --text: #18212b; --muted: #566373; --accent: #0b5cad; --on-accent: #ffffff; --hover: #eaf1f8;
  --good: #17693f; --warn: #875400; --bad: #b3261e; --on-bad: #ffffff;
  --line-0: #0b5cad; --line-1: #b45309; --line-2: #17693f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151b; --card: #182029; --edge: #2c3743; --control: #77859a;
    --text: #e7ecf2; --muted: #a0adbb; --accent: #77b6ff; --on-accent: #0a1420; --hover: #22303d;
    --good: #62d197; --warn: #f1b95c; --bad: #ff938a; --on-bad: #2b0705;
    --line-0: #77b6ff; --line-1: #f1a35c; --line-2: #62d197;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; padding: 1rem 1.25rem 3rem; max-width: 84rem;
  background: var(--page); color: var(--text);
  font: 0.9375rem/1.5 system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
}
h1, h2, h3, p, dl, dd, ol, ul { margin: 0; }
h1 { font-size: 1.25rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 1.75rem 0 0.6rem; font-size: 1.0625rem; }
h3 { font-size: 0.875rem; font-weight: 600; }
.muted, small { color: var(--muted); font-size: 0.8125rem; }
.visually-hidden {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0;
}
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 0.625rem; padding: 0.875rem 1rem; min-width: 0; }

header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.75rem 1rem; }
.title { margin-right: auto; min-width: 0; }
.actions, .row { display: flex; flex-wrap: wrap; align-items: end; gap: 0.5rem; }
.row { margin-top: 0.75rem; }
.row:first-child { margin-top: 0; }
.end { justify-content: flex-end; }
.pill { padding: 0.1rem 0.7rem; border: 1px solid currentColor; border-radius: 1rem; color: var(--muted); font-size: 0.8125rem; }
.good { color: var(--good); }
.warn { color: var(--warn); }
.bad { color: var(--bad); }
.notice { min-height: 1.5rem; margin-top: 0.25rem; color: var(--good); }
.notice.bad { color: var(--bad); }

button, input, select {
  min-height: 2.25rem; padding: 0.3rem 0.8rem; border: 1px solid var(--control); border-radius: 0.45rem;
  background: var(--card); color: var(--text); font: inherit;
}
button { cursor: pointer; transition: background-color 120ms; }
button:hover:not(:disabled) { background: var(--hover); }
button:disabled { border-color: var(--edge); color: var(--muted); cursor: default; }
button[aria-pressed='true'] { background: var(--hover); border-color: var(--accent); color: var(--accent); }
.primary, .primary:hover:not(:disabled) { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.danger { border-color: currentColor; color: var(--bad); }
.solid, .solid:hover:not(:disabled) { background: var(--bad); border-color: var(--bad); color: var(--on-bad); }
.small { min-height: 1.75rem; padding: 0.05rem 0.6rem; font-size: 0.8125rem; white-space: nowrap; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
label { display: block; margin-bottom: 0.2rem; color: var(--muted); font-size: 0.8125rem; }
.field { min-width: 0; }
.grow { flex: 1 1 12rem; }
.field input, .field select, .login input { width: 100%; }
.login { display: grid; gap: 0.6rem; max-width: 24rem; margin: 12vh auto 0; }
.login h2, .login label { margin: 0; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem; margin-top: 0.75rem; }
.tiles dt { color: var(--muted); font-size: 0.8125rem; }
.tiles .muted { font-size: 0.75rem; line-height: 1.35; overflow-wrap: anywhere; }
.value { font-size: 1.4rem; font-weight: 650; line-height: 1.35; font-variant-numeric: tabular-nums; }

.charts, .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0.75rem; }
.pair > section { min-width: 0; }
.chart-head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1rem; }
.chart-head .muted { font-size: 0.75rem; }
.chart { margin: 0.6rem 0 0.5rem; }
.chart svg { display: block; width: 100%; height: 8.5rem; overflow: visible; }
.grid { stroke: var(--edge); vector-effect: non-scaling-stroke; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.line-0 { stroke: var(--line-0); }
.line-1 { stroke: var(--line-1); stroke-dasharray: 7 4; }
.line-2 { stroke: var(--line-2); stroke-dasharray: 2 4; }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1.1rem; font-size: 0.8125rem; }
.legend div { display: flex; gap: 0.4rem; }
.legend dd { font-weight: 600; font-variant-numeric: tabular-nums; }
.legend dt::before { content: ''; display: inline-block; width: 1.1rem; margin-right: 0.4rem; border-top: 2px solid; vertical-align: middle; }
.legend .key-0::before { border-color: var(--line-0); }
.legend .key-1::before { border-color: var(--line-1); border-top-style: dashed; }
.legend .key-2::before { border-color: var(--line-2); border-top-style: dotted; }

.scroll { position: relative; overflow: auto; }
#keys-summary { margin: 0.6rem 0 0.3rem; }
.tall { max-height: 34rem; }
.tall thead th { position: sticky; top: 0; z-index: 1; background: var(--card); box-shadow: 0 1px var(--edge); }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
th, td { padding: 0.4rem 0.6rem; border-bottom: 1px solid var(--edge); text-align: left; vertical-align: middle; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--muted); font-size: 0.8125rem; font-weight: 500; vertical-align: bottom; }
tbody th { min-width: 7rem; font-weight: 600; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .number { white-space: normal; }
thead .spread { min-width: 9rem; }
td:last-child { text-align: right; }
#keys-table[aria-busy='true'] { opacity: 0.6; }

.key { min-height: 1.75rem; padding: 0.1rem 0.35rem; border-color: transparent; background: none; color: var(--accent); text-align: left; }
.key bdi, .key-text, pre, .activity bdi { font-family: ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 0.8125rem; overflow-wrap: anywhere; }
.key small { margin-left: 0.6rem; }
.top { padding: 0; list-style: none; }
.top li { display: flex; align-items: center; justify-content: space-between; gap: 0.75rem; border-bottom: 1px solid var(--edge); }
.top li:last-child { border-bottom: 0; }
.activity { padding: 0; list-style: none; max-height: 18rem; overflow-y: auto; }
.activity li { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.75rem; padding: 0.2rem 0; }
.activity time { color: var(--muted); font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
.kind { font-size: 0.8125rem; font-weight: 600; }
.kind.error, .kind.degraded { color: var(--bad); }
.kind.deferred { color: var(--warn); }
.kind.recovered { color: var(--good); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 0.5rem 1rem; }
.facts dt { color: var(--muted); font-size: 0.8125rem; }
.facts dd { overflow-wrap: anywhere; }

dialog {
  width: min(56rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); padding: 1.25rem;
  border: 1px solid var(--edge); border-radius: 0.75rem; background: var(--card); color: var(--text);
}
dialog#confirm { width: min(30rem, calc(100vw - 2rem)); }
dialog::backdrop { background: rgb(0 0 0 / 0.5); }
dialog h2 { margin: 0 0 0.75rem; font-size: 0.9375rem; }
pre { max-height: 45vh; margin: 0.9rem 0 0.4rem; padding: 0.75rem; overflow: auto; border: 1px solid var(--edge); border-radius: 0.45rem; background: var(--page); white-space: pre-wrap; }

@media (max-width: 40rem) {
  body { padding: 0.75rem 0.75rem 2rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tiles > :last-child:nth-child(odd) { grid-column: 1 / -1; }
  /* Cells that stick leave their edge behind where edges are shared. */
  .figures { border-collapse: separate; border-spacing: 0; }
  .figures th:first-child { position: sticky; left: 0; background: var(--card); }
  .actions { width: 100%; }
  .actions button { flex: 1 1 auto; }
  .card { padding: 0.75rem; }
  .wide { display: none; }
  th, td { padding: 0.4rem; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { transition: none !important; animation: none !important; scroll-behavior: auto !important; }
}
@media (forced-colors: active) {
  .line-0, .line-1, .line-2 { stroke: CanvasText; }
}
`;
