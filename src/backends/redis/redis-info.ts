/** What may be shown of Redis' `INFO`: no path, no host, no other tenant's data. */
const SHOWN = [
  'redis_version',
  'role',
  'uptime_in_seconds',
  'connected_clients',
  'used_memory_human',
  'maxmemory_human',
  'total_commands_processed',
] as const;

/** Reads the text that `INFO` answers. */
export function parseRedisInfo(text: string): Readonly<Record<string, string | number>> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const info: Record<string, string | number> = {};
  for (const name of SHOWN) {
    const value = fields.get(name);
    if (value !== undefined) info[name] = /^\d{1,15}$/.test(value) ? Number(value) : value;
  }
  return info;
}
