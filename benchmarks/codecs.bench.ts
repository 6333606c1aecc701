/*
 * Question: which codec and compressor suits these values, in bytes and in time, and what would it change or refuse?
 *
 * Set-up: every codec of the package with every compressor that this Node has, through the public entries, put
 * together as the library does it (threshold, and a saving of at least 5 %). Each value goes through each combination
 * once and is compared with the original, kinds and shared objects included; then writing and reading are measured in
 * processor time, in interleaved rounds. Values are the built-in samples, made from fixed seeds, or the records of `--data FILE`.
 * The library's frame around the bytes (header, times, checksum) is the same for all and left out.
 *
 * Peers: `JSON.stringify` and `JSON.parse` by hand.
 */
import { basename } from 'node:path';
import { combinations } from './codecs/combinations.js';
import { sampleFigures, sampleSection, summarySection } from './codecs/codec-report.js';
import { readDataFile } from './codecs/data-file.js';
import { measureSample, type SampleResult } from './codecs/measurement.js';
import { costRule, type CostModel } from './codecs/recommendation.js';
import { builtInSamples } from './codecs/samples.js';
import { describeEnvironment } from './support/environment.js';
import { publish } from './support/report.js';
import { COMMON_OPTIONS, runMain, UsageError, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:codecs';

const OPTIONS = {
  data: {
    type: 'string',
    value: 'FILE',
    meaning: 'JSON (of an array each element) or NDJSON (each line) instead of the samples',
  },
  records: {
    type: 'string',
    value: 'N',
    meaning: 'take at most N records of the file, evenly spread (1000, or 4 MB of them)',
  },
  threshold: {
    type: 'string',
    value: 'BYTES',
    meaning: 'compress encoded values from this size on (1024)',
  },
  bandwidth: {
    type: 'string',
    value: 'RATE',
    meaning: 'of the network, such as 100Mbit or 10Gbit (1Gbit)',
  },
  reads: {
    type: 'string',
    value: 'N',
    meaning: 'how often a value is read for each time it is written (10)',
  },
  ...COMMON_OPTIONS,
} as const;

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const rounds = wholeNumber('rounds', options.rounds, {
    absent: isQuick ? 5 : 9,
    min: 1,
    max: 1000,
  });
  const threshold = wholeNumber('threshold', options.threshold, { absent: 1024, min: 0 });
  const model: CostModel = {
    bitsPerSecond: readBandwidth(options.bandwidth),
    readsPerWrite: wholeNumber('reads', options.reads, { absent: 10, min: 1 }),
  };
  const maxRecords =
    options.records === undefined
      ? undefined
      : wholeNumber('records', options.records, { absent: 1, min: 1 });
  if (options.save === true && options.data !== undefined) {
    throw new UsageError(
      '--save keeps the figures of the built-in samples; take --json FILE for those of --data',
    );
  }
  const samples =
    typeof options.data === 'string' ? [readDataFile(options.data, maxRecords)] : builtInSamples();
  const { all, missing } = combinations(threshold);

  const results: SampleResult[] = [];
  for (const sample of samples) {
    if (process.stderr.isTTY) process.stderr.write(`\rmeasuring ${sample.name} ...\x1b[K`);
    results.push(await measureSample(sample, all, threshold, { rounds, turnMs: isQuick ? 2 : 8 }));
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

  const summary = summarySection(results, model, missing);
  await publish(
    {
      name: 'codecs',
      title: 'Codecs and compressors',
      command: [COMMAND, ...shownArguments()].join(' '),
      environment: describeEnvironment(['msgpackr', 'lz4-napi']),
      method:
        `Times are processor time, medians of ${rounds} interleaved rounds. Compressed are values of ${threshold} bytes and more, if that ` +
        `saves 5 %. ${costRule(model)}`,
      sections: [...results.map((each) => sampleSection(each, model, threshold)), summary],
      digest: [summary],
      figures: {
        options: { rounds, threshold, ...model },
        missing,
        samples: results.map((each) => sampleFigures(each, model)),
      },
    },
    options,
  );
});

/** The arguments that matter to a reader; where the user's file lies is nobody else's business. */
function shownArguments(): readonly string[] {
  const args = process.argv
    .slice(2)
    .map((argument, index, all) =>
      all[index - 1] === '--data' || all[index - 1] === '--json' ? basename(argument) : argument,
    );
  return args.length === 0 ? [] : ['--', ...args];
}

function readBandwidth(text: string | boolean | undefined): number {
  if (text === undefined) return 1e9;
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([MG])bit(?:\/s)?$/i.exec(String(text)) ?? [];
  const bitsPerSecond = Number(number) * (unit?.toUpperCase() === 'G' ? 1e9 : 1e6);
  if (bitsPerSecond > 0) return bitsPerSecond;
  throw new UsageError(
    `--bandwidth: expected a rate such as 100Mbit or 10Gbit, got '${String(text)}'`,
  );
}
