import { expect } from 'chai';
import { packageRoot } from '../support/package-root.js';
import { runNode } from '../support/run-process.js';

describe('npm run demo', function () {
  this.timeout(120_000);

  it('shows memory and Redis in one table, with no stale read, and ends by itself', async () => {
    await runNode(['scripts/compile.mjs', '--fast', 'examples/tsconfig.json'], {
      cwd: packageRoot,
    });
    const output = await runNode(['build/examples/demo/main.js'], {
      cwd: packageRoot,
      env: { ...process.env, DEMO_REQUESTS: '1600' },
    });
    const rows = output
      .split('\n')
      .filter((line) => /^(?:memory|Redis, \S.*?) {2,}\d/.test(line))
      .map((line) => line.trim().split(/ {2,}/));
    expect(rows.map(([name]) => name)).to.deep.equal([
      'memory',
      'Redis, JSON',
      'Redis, msgpack + LZ4',
    ]);
    for (const [name, requests, queries, , , , , , stale] of rows) {
      expect(requests, name).to.equal('1600');
      expect(Number(queries), name).to.be.within(40, 1599);
      expect(stale, name).to.equal('0');
    }
  });
});
