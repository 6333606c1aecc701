import { ApplicationSettings } from '#internal/config/application-settings.js';
import { CacheSettings } from '#internal/config/cache-settings.js';
import { profile, type ProfileName } from '#internal/config/profiles.js';
import { RedisSettings } from '#internal/config/redis-settings.js';
import { settingsOf } from '#internal/config/setting.js';

/** The tables of docs/CONFIGURATION.md, as the settings classes declare them. */
export function configurationTables(): Readonly<Record<string, string>> {
  return {
    application: variableTable(ApplicationSettings, '', ''),
    redis: variableTable(RedisSettings, 'REDIS_', 'redis.'),
    cache: variableTable(CacheSettings, 'CACHE_', 'cache.'),
    profiles: profileTable(),
  };
}

/** The page with each generated part, `<!-- table: name -->` to `<!-- end -->`, replaced. */
export function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  return page.replace(
    /(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, start: string, name: string, end: string) => `${start}${tables[name]!}${end}`,
  );
}

function variableTable(settingsClass: new () => object, prefix: string, path: string): string {
  const defaults = new settingsClass() as Record<string, unknown>;
  const rows = settingsOf(settingsClass).map(({ name, variable, kind, meaning }) => {
    const value = defaults[name];
    const shown = value === undefined ? '' : code(kind.write(value));
    return [code(prefix + variable), code(path + name), kind.type, shown, kind.range, meaning];
  });
  return table(['Variable', 'Field', 'Type', 'Default', 'Allowed', 'Meaning'], rows);
}

function profileTable(): string {
  const names: readonly ProfileName[] = ['development', 'staging', 'production'];
  const defaults = { redis: new RedisSettings(), cache: new CacheSettings() };
  const rows = [['`DEBUG`', 'false', ...names.map((name) => String(profile(name).debug))]];
  for (const [part, settingsClass, prefix] of [
    ['cache', CacheSettings, 'CACHE_'],
    ['redis', RedisSettings, 'REDIS_'],
  ] as const) {
    for (const field of settingsOf(settingsClass)) {
      const values = names.map(
        (name) => (profile(name)[part] as Record<string, unknown>)[field.name],
      );
      if (values.every((value) => value === undefined)) continue;
      const base = (defaults[part] as unknown as Record<string, unknown>)[field.name];
      const shown = [base, ...values.map((value) => value ?? base)].map((value) =>
        field.kind.write(value),
      );
      rows.push([code(prefix + field.variable), ...shown]);
    }
  }
  return table(['Variable', 'no profile', ...names], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

function code(text: string): string {
  return `\`${text}\``;
}
