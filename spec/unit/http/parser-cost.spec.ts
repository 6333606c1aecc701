import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runNode } from '../../support/run-process.js';

interface Steps {
  readonly factor: number;
  readonly counts: Readonly<Record<string, readonly [short: number, long: number]>>;
}

describe('the cost of parsing', function () {
  this.timeout(60_000);

  it('grows with the length of a text, from 8 kB to 64 kB, and not faster', async () => {
    const program = fileURLToPath(new URL('../../support/parser-steps.js', import.meta.url));
    const { NODE_V8_COVERAGE: _, ...env } = process.env;
    const { factor, counts } = JSON.parse(await runNode([program], { env })) as Steps;
    // Eight times the text is eight times the steps, give or take what the engine counts otherwise once code is hot; a square is 64.
    const grew = Object.entries(counts).filter(
      ([, [short, long]]) => long > 1.5 * factor * short + 1000,
    );
    const names = new Set(grew.map(([name]) => name.replace(/ of "(?:[^"\\]|\\.)*"$/, '')));
    expect([...names]).to.deep.equal(['a control that is quadratic']);
    const busy = Object.values(counts).filter(([, long]) => long > 50_000);
    expect(busy.length, 'texts that were read to the end').to.be.greaterThan(100);
  });
});
