const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;
/** How many hash tags are remembered. A cache has few, tags may be many. */
const MOST_REMEMBERED = 4096;

const TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

const remembered = new Map<string, number>();

/** The slot of a key in a Redis Cluster (Redis: "Cluster specification", "Key distribution model", "Hash tags"). */
export function hashSlot(key: string): number {
  const part = hashedPart(key);
  let slot = remembered.get(part);
  if (slot === undefined) {
    slot = crc16(part) % SLOTS;
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(part, slot);
  }
  return slot;
}

/** What stands in the first braces, if anything does, else the whole key. */
function hashedPart(key: string): string {
  const start = key.indexOf('{');
  if (start < 0) return key;
  const end = key.indexOf('}', start + 1);
  return end > start + 1 ? key.slice(start + 1, end) : key;
}

function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ byte]!;
  return crc;
}
