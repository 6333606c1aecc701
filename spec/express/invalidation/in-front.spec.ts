import { readdirSync } from 'node:fs';
import { expectMarkedSpecs } from '../../support/front/marked-specs.js';
import { packageRoot } from '../../support/package-root.js';

/** As the specs of fresh reads have it. */
const STEPS = Number(process.env['HTTP_STEPS'] ?? 2000);
const SCHEDULES = process.env['HTTP_SCHEDULES'] ?? '400';

const FOLDER = 'build/spec/standard/express/invalidation';
/** The proofs that no read is stale. Of a few reads each is answered in front, or they would prove nothing about it. */
const PROOFS: readonly (readonly [file: string, leastInFront: number])[] = [
  ['fresh-reads.spec.js', STEPS / 8],
  ['fresh-reads.it.spec.js', STEPS / 16],
  ['interleavings.spec.js', 5],
];

describe('accelerate: reads beside writes, with a fast lane', () => {
  for (const [file, leastInFront] of PROOFS) {
    it(`passes ${file.replace(/js$/, 'ts')}`, async () => {
      const env = { HTTP_SCHEDULES: SCHEDULES };
      const printed = await expectMarkedSpecs([`${FOLDER}/${file}`], leastInFront, env);
      for (const line of printed.match(/^.*(?:HTTP_SEED|answered in front).*$/gm) ?? []) {
        if (process.env['HTTP_STEPS'] !== undefined) console.log(`      ${line.trim()}`);
      }
    }).timeout(300_000 + STEPS * 80);
  }

  it('passes the other specs of writes', async () => {
    const proofs = new Set([...PROOFS.map(([file]) => file), 'in-front.spec.js']);
    const files = readdirSync(packageRoot + FOLDER).filter(
      (file) => file.endsWith('.spec.js') && !proofs.has(file),
    );
    await expectMarkedSpecs(
      files.map((file) => `${FOLDER}/${file}`),
      1,
    );
  }).timeout(300_000);
});
