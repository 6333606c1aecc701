import { expect } from 'chai';
import { BACKENDS_UNDER_TEST } from '../support/backends-under-test.js';
import { GENERATED_CASES } from './conformance/generated-cases.js';
import { outcomeText, runCase } from './conformance/run-case.js';
import { SpringModel } from './conformance/spring-model.js';
import { WRITTEN_CASES } from './conformance/written-cases.js';

const ALL_CASES = [...WRITTEN_CASES, ...GENERATED_CASES];

describe('Conformance of the operations', () => {
  it('has at least 200 cases, no two alike', () => {
    const titles = new Set(ALL_CASES.map(({ title }) => title));
    expect(titles.size).to.equal(ALL_CASES.length);
    expect(titles.size).to.be.at.least(200);
  });

  describe('the model of Spring', () => {
    for (const { title, operations, steps, expected } of WRITTEN_CASES) {
      it(title, () => {
        const outcome = SpringModel.outcome(operations, steps);
        expect(outcomeText(outcome)).to.equal(outcomeText(expected));
      });
    }
  });

  for (const { name, start } of BACKENDS_UNDER_TEST) {
    describe(name, () => {
      let place: Awaited<ReturnType<typeof start>>;
      before(async () => (place = await start()));
      after(() => place.stop());

      for (const { title, operations, steps, expected } of ALL_CASES) {
        it(title, async () => {
          const outcome = await runCase(place.backend(), operations, steps, 'stacked');
          expect(outcomeText(outcome)).to.equal(outcomeText(expected));
        });
      }

      for (const { title, operations, steps, expected } of WRITTEN_CASES) {
        it(`by @Caching: ${title}`, async () => {
          const outcome = await runCase(place.backend(), operations, steps, 'caching');
          expect(outcomeText(outcome)).to.equal(outcomeText(expected));
        });
      }
    });
  }
});
