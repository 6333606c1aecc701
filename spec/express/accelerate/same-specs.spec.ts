import { readdirSync } from 'node:fs';
import { expectMarkedSpecs } from '../../support/front/marked-specs.js';
import { packageRoot } from '../../support/package-root.js';

describe('accelerate: the specs of httpCache with a fast lane', () => {
  for (const [folder, leastInFront] of [
    ['cache', 200],
    ['security', 50],
  ] as const) {
    it(`passes those of ${folder}`, async function () {
      this.timeout(300_000);
      const path = `build/spec/standard/express/${folder}`;
      const files = readdirSync(packageRoot + path).filter((file) => file.endsWith('.spec.js'));
      await expectMarkedSpecs(
        files.map((file) => `${path}/${file}`),
        leastInFront,
      );
    });
  }
});
