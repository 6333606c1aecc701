import { expectMarkedSpecs } from '../../support/front/marked-specs.js';

describe('accelerate on Redis', () => {
  for (const [name, leastInFront] of [
    ['http-cache', 5],
    ['http-security', 50],
  ] as const) {
    it(`passes the specs of ${name}`, async function () {
      this.timeout(300_000);
      const file = `build/spec/standard/integration/redis/${name}.it.spec.js`;
      await expectMarkedSpecs([file], leastInFront);
    });
  }
});
