const ZERO = 0x30;
const NINE = 0x39;

/** The decimal number at the start of a text; `NaN` when there is none. */
export function decimalOf(text: Buffer | null | undefined): number {
  if (text === null || text === undefined) return NaN;
  let value = 0;
  let index = 0;
  for (; index < text.length; index++) {
    const digit = text[index]!;
    if (digit < ZERO || digit > NINE) break;
    value = value * 10 + (digit - ZERO);
  }
  return index === 0 ? NaN : value;
}
