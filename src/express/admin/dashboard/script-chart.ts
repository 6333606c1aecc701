/**
 * Line charts over time, as SVG. A chart library (uPlot was weighed: 50 kB, a style sheet of its own, canvas that
 * screen readers and forced colours cannot reach) would be longer than all the rest of the page.
 */
export const CHART_SCRIPT: string = String.raw`
const SVG = 'http://www.w3.org/2000/svg';
const CHART_WIDTH = 600;
const CHART_HEIGHT = 140;
/** How many pictures a chart holds: five minutes at one a second. */
const CHART_POINTS = 300;
/** The least number that a chart is wide, so that a few do not look like a trend. */
const LEAST_POINTS = 60;

/** @param {string} tag @param {Record<string, string>} attributes @returns {SVGElement} */
function makeSvg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** The least of 1, 2, 5, 10, 20, 50 … that is not below a value. @param {number} value */
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const factor of [1, 2, 5]) if (factor * power >= value) return factor * power;
  return 10 * power;
}

/**
 * @typedef {{ name: string, label: string }} Series
 * @typedef {{ at: number, values: Record<string, number | null> }} Point
 */

class Chart {
  /**
   * @param {HTMLElement} host
   * @param {{ title: string, series: Series[], format: (value: number) => string, ceiling?: number }} options
   */
  constructor(host, options) {
    this.options = options;
    /** @type {Point[]} */
    this.points = [];
    this.svg = makeSvg('svg', {
      viewBox: '0 0 ' + CHART_WIDTH + ' ' + CHART_HEIGHT,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': options.title + ': no data yet',
    });
    for (const share of [0, 0.5, 1]) {
      const y = String(CHART_HEIGHT * share);
      this.svg.append(makeSvg('line', { class: 'grid', x1: '0', x2: String(CHART_WIDTH), y1: y, y2: y }));
    }
    this.scale = make('span', { class: 'muted' });
    /** @type {Map<string, { path: SVGElement, value: HTMLElement }>} */
    this.lines = new Map();
    const legend = make('dl', { class: 'legend' });
    options.series.forEach((series, index) => {
      const path = makeSvg('path', { class: 'line line-' + index });
      this.svg.append(path);
      const value = make('dd', {}, '–');
      legend.append(make('div', {}, make('dt', { class: 'key-' + index }, series.label), value));
      this.lines.set(series.name, { path, value });
    });
    const head = make('div', { class: 'chart-head' }, make('h3', {}, options.title), this.scale);
    const frame = make('div', { class: 'chart' });
    frame.append(this.svg);
    host.append(head, frame, legend);
  }

  /** @param {Point} point */
  add(point) {
    this.points.push(point);
    if (this.points.length > CHART_POINTS) this.points.shift();
  }

  draw() {
    const { series, format, title, ceiling } = this.options;
    const { points } = this;
    const last = points[points.length - 1];
    if (last === undefined) return;
    let highest = 0;
    for (const { values } of points) {
      for (const { name } of series) highest = Math.max(highest, values[name] ?? 0);
    }
    const top = ceiling ?? roundUp(highest);
    const shownMs = last.at - /** @type {Point} */ (points[0]).at;
    const span = spanText(Math.max(1, Math.round(shownMs / 1000)));
    setText(this.scale, '0 – ' + format(top) + ', last ' + span);
    const said = [];
    for (const { name, label } of series) {
      const line = this.lines.get(name);
      if (line === undefined) continue;
      line.path.setAttribute('d', this.pathOf(name, top));
      const value = last.values[name] ?? null;
      const text = value === null ? '–' : format(value);
      setText(line.value, text);
      said.push(label + ' ' + text);
    }
    this.svg.setAttribute('aria-label', title + ', now: ' + said.join(', '));
  }

  /** @param {string} name @param {number} top */
  pathOf(name, top) {
    const width = Math.max(LEAST_POINTS, this.points.length);
    const step = CHART_WIDTH / (width - 1);
    const offset = width - this.points.length;
    let path = '';
    let isDown = false;
    this.points.forEach(({ values }, index) => {
      const value = values[name] ?? null;
      if (value === null) {
        isDown = false;
        return;
      }
      const x = ((offset + index) * step).toFixed(1);
      const y = (CHART_HEIGHT - 1 - (Math.min(value, top) / top) * (CHART_HEIGHT - 2)).toFixed(1);
      path += (isDown ? 'L' : 'M') + x + ' ' + y;
      // A point alone is a dot: a line to itself, with round ends.
      if (!isDown) path += 'L' + x + ' ' + y;
      isDown = true;
    });
    return path;
  }
}
`;
