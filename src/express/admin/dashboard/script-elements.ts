/**
 * The dashboard's client code is kept as text, in parts that become one script, because the build compiles for Node
 * alone. A spec checks the types of the whole against the DOM's. Nothing is ever parsed as markup: keys and values are
 * written by whoever writes to the cache.
 */
export const ELEMENTS_SCRIPT: string = String.raw`
/**
 * An element by its id.
 * @param {string} id
 * @returns {HTMLElement}
 */
function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error('no element ' + id);
  return element;
}

/** @param {string} id @returns {HTMLInputElement} */
function inputById(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** @param {string} id @returns {HTMLDialogElement} */
function dialogById(id) {
  return /** @type {HTMLDialogElement} */ (byId(id));
}

/**
 * Makes an element. Children that are texts stay texts.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @param {string} label
 * @param {string} className
 * @param {() => void} onPress
 * @param {string} [description] - what it does, where the label alone does not say it
 */
function makeButton(label, className, onPress, description) {
  const button = make('button', { type: 'button', class: className }, label);
  if (description !== undefined) button.setAttribute('aria-label', description);
  button.addEventListener('click', onPress);
  return button;
}

/** Sets a text only where it differs, so that nothing is selected or read out anew without need.
 * @param {Node} node @param {string} text */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const plainNumber = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const shortNumber = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number} value */
function numberText(value) {
  return Math.abs(value) < 10000 ? plainNumber.format(value) : shortNumber.format(value);
}

/** @param {number} count @param {string} one @param {string} many */
function countText(count, one, many) {
  return numberText(count) + ' ' + (count === 1 ? one : many);
}

/** @param {number} bytes */
function bytesText(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return plainNumber.format(value) + ' ' + units[unit];
}

/** @param {number} ms */
function millisecondsText(ms) {
  if (ms >= 1000) return plainNumber.format(ms / 1000) + ' s';
  if (ms >= 10 || ms === 0) return Math.round(ms) + ' ms';
  return ms.toPrecision(2) + ' ms';
}

/** @param {number} ratio */
function percentText(ratio) {
  return plainNumber.format(ratio * 100) + ' %';
}

/** @param {number | null} seconds */
function spanText(seconds) {
  if (seconds === null) return 'no expiry';
  if (seconds <= 0) return 'stale';
  if (seconds < 60) return seconds + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min ' + (seconds % 60) + ' s';
  if (seconds < 86400) return Math.floor(seconds / 3600) + ' h ' + Math.floor((seconds % 3600) / 60) + ' min';
  return Math.floor(seconds / 86400) + ' d ' + Math.floor((seconds % 86400) / 3600) + ' h';
}

/** Says what an action came to, to eyes and to screen readers.
 * @param {string} text @param {boolean} [isFault] */
function announce(text, isFault = false) {
  const notice = byId('notice');
  notice.className = isFault ? 'notice bad' : 'notice';
  // The same text again is news, too, and is read out only when it changes.
  notice.textContent = '';
  requestAnimationFrame(() => { notice.textContent = text; });
}
`;
