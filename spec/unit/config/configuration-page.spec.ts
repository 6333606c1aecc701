import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { CacheSettings } from '#internal/config/cache-settings.js';
import { RedisSettings } from '#internal/config/redis-settings.js';
import { settingsOf } from '#internal/config/setting.js';
import { configurationTables, withTables } from '../../support/configuration-page.js';

const PAGE = 'docs/CONFIGURATION.md';

describe('docs/CONFIGURATION.md', () => {
  it('has the tables that the settings classes declare', () => {
    const page = readFileSync(PAGE, 'utf8');
    const generated = withTables(page, configurationTables());
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, generated);
    else expect(page, 'run this spec with UPDATE_DOCS=1 to write the tables').to.equal(generated);
  });

  it('has every table', () => {
    const names = [...readFileSync(PAGE, 'utf8').matchAll(/<!-- table: (\w+) -->/g)].map(
      ([, name]) => name,
    );

    expect(names).to.have.members(Object.keys(configurationTables()));
  });
});

describe('the doc comments of the settings classes', () => {
  for (const [file, settingsClass] of [
    ['src/config/redis-settings.ts', RedisSettings],
    ['src/config/cache-settings.ts', CacheSettings],
  ] as const) {
    it(`name the defaults that ${settingsClass.name} has`, () => {
      const source = readFileSync(file, 'utf8');
      const defaults = new settingsClass() as unknown as Record<
        string,
        string | number | boolean | undefined
      >;
      for (const { name, isDerived } of settingsOf(settingsClass)) {
        if (isDerived) continue;
        const before = source.slice(0, source.search(new RegExp(`readonly ${name}\\??:`)));
        const comment = before.slice(before.lastIndexOf('/**'));
        const documented = /@defaultValue (\S+)/.exec(comment)?.[1]?.replace(/[_']/g, '');

        expect(documented, name).to.equal(
          defaults[name] === undefined ? undefined : String(defaults[name]),
        );
      }
    });
  }
});
