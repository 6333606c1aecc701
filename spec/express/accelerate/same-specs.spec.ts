import { readdirSync } from 'node:fs';
import { expectMarkedSpecs } from '../../support/front/marked-specs.js';
import { packageRoot } from '../../support/package-root.js';

describe('accelerate: the specs of httpCache with a fast lane', () => {
  for (const [folder, leastInFront, chosen = /\.spec\.js$/] of [
    ['cache', 200],
    ['security', 50],
    // What is left of that folder has a fast lane of its own, or asks no server for anything.
    ['setup', 5, /^setup-cache\.spec\.js$/],
  ] as readonly (readonly [string, number, RegExp?])[]) {
    it(`passes those of ${folder}`, async function () {
      this.timeout(300_000);
      const path = `build/spec/standard/express/${folder}`;
      const files = readdirSync(packageRoot + path).filter((file) => chosen.test(file));
      await expectMarkedSpecs(
        files.map((file) => `${path}/${file}`),
        leastInFront,
      );
    });
  }
});
