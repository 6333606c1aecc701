/*
 * Question: what does it cost a program to import the package, and what of that is its own?
 *
 * Set-up: processes that import one entry each and nothing else, in interleaved rounds; the time is that of the
 * `import()` alone, without Node's own start. Bytes and files are those that the import of the core entry really loads
 * (scripts/measure-core.mjs).
 *
 * Peers: the core's two required packages alone, which a program that uses tsyringe has loaded anyway.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describeEnvironment, root } from './support/environment.js';
import { publish } from './support/report.js';
import { pairedRatio, spreadOf } from './support/statistics.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:import';

/** What each process imports, one after the other. */
const SUBJECTS: readonly { readonly name: string; readonly imports: readonly string[] }[] = [
  { name: 'reflect-metadata and tsyringe', imports: ['reflect-metadata', 'tsyringe'] },
  { name: 'cachewell, with these two', imports: ['cachewell'] },
  { name: 'cachewell/msgpack', imports: ['cachewell/msgpack'] },
  { name: 'cachewell/lz4', imports: ['cachewell/lz4'] },
  { name: 'cachewell/redis', imports: ['cachewell/redis'] },
  { name: 'cachewell and cachewell/redis', imports: ['cachewell', 'cachewell/redis'] },
];

/** What scripts/measure-core.mjs prints; its times are left out here, for ours are interleaved. */
interface CoreSize {
  readonly files: number;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly peerFiles: number;
}

await runMain(COMMAND, COMMON_OPTIONS, async (options) => {
  const rounds = wholeNumber('rounds', options.rounds, {
    absent: options.quick === true ? 5 : 25,
    min: 1,
    max: 1000,
  });
  const timesMs = SUBJECTS.map((): { wall: number[]; cpu: number[] } => ({ wall: [], cpu: [] }));
  for (let round = -1; round < rounds; round++) {
    for (const [index, { imports }] of SUBJECTS.entries()) {
      const { wallMs, cpuMs } = importOnce(imports);
      // The first round only brings the files into memory.
      if (round < 0) continue;
      timesMs[index]!.wall.push(wallMs);
      timesMs[index]!.cpu.push(cpuMs);
    }
  }
  const size = measureCore();
  const [base] = timesMs;
  await publish(
    {
      name: 'core-import',
      title: 'Cold import',
      command: COMMAND,
      environment: describeEnvironment(['tsyringe', 'reflect-metadata']),
      method:
        `One process per import, ${rounds} interleaved rounds; the time of import() alone, with the files in the ` +
        "system's cache. Processor time counts all threads, the compiler's too.",
      sections: [
        {
          title: 'Time',
          table: {
            columns: [
              { title: 'import of', align: 'left' },
              { title: 'ms' },
              { title: 'min..max' },
              { title: 'CPU ms' },
              { title: 'CPU ratio' },
            ],
            rows: SUBJECTS.map(({ name }, index) => {
              const wall = spreadOf(timesMs[index]!.wall);
              return [
                name,
                wall.median.toFixed(1),
                `${wall.min.toFixed(1)}..${wall.max.toFixed(1)}`,
                spreadOf(timesMs[index]!.cpu).median.toFixed(1),
                pairedRatio(timesMs[index]!.cpu, base!.cpu).toFixed(2),
              ];
            }),
          },
        },
        {
          title: 'Size of the core entry, as loaded',
          table: {
            columns: [
              { title: 'own files' },
              { title: 'own bytes' },
              { title: 'each gzipped' },
              { title: "peers' files" },
            ],
            rows: [
              [size.files, size.bytes, size.gzipBytes, size.peerFiles].map((each) =>
                each.toLocaleString('en-US'),
              ),
            ],
          },
        },
      ],
      figures: {
        options: { rounds },
        imports: SUBJECTS.map(({ name, imports }, index) => ({
          name,
          imports,
          wallMs: spreadOf(timesMs[index]!.wall),
          cpuMs: spreadOf(timesMs[index]!.cpu),
        })),
        core: size,
      },
    },
    options,
  );
});

function importOnce(imports: readonly string[]): {
  readonly wallMs: number;
  readonly cpuMs: number;
} {
  const code = `
    const cpuBefore = process.cpuUsage();
    const startedAtMs = performance.now();
    ${imports.map((entry) => `await import(${JSON.stringify(entry)});`).join('\n')}
    const wallMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(cpuBefore);
    console.log(JSON.stringify({ wallMs, cpuMs: (user + system) / 1000 }));
  `;
  return JSON.parse(runNode(['--input-type=module', '-e', code])) as {
    readonly wallMs: number;
    readonly cpuMs: number;
  };
}

function measureCore(): CoreSize {
  const { files, bytes, gzipBytes, peerFiles } = JSON.parse(
    runNode([join(root, 'scripts/measure-core.mjs')]),
  ) as CoreSize;
  return { files, bytes, gzipBytes, peerFiles };
}

function runNode(args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
}
