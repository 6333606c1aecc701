import { expectMarkedSpecs } from '../../support/front/marked-specs.js';

describe('accelerate on Redis', () => {
  for (const [name, leastInFront] of [
    ['http-cache', 5],
    ['http-security', 50],
    ['http-groups', 50],
    ['http-post', 5],
    ['http-cluster', 10],
  ] as const) {
    it(`passes the specs of ${name}`, async function () {
      this.timeout(300_000);
      const file = `build/spec/standard/integration/redis/${name}.it.spec.js`;
      await expectMarkedSpecs([file], leastInFront);
    });
  }
});
