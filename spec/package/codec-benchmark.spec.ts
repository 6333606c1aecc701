import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageRoot } from '../support/package-root.js';
import { runNode, runProcess, type ProcessResult } from '../support/run-process.js';

/** The part of `--json -` that is looked at. */
interface Figures {
  readonly missing: readonly string[];
  readonly samples: readonly {
    readonly values: number;
    readonly results: readonly {
      readonly codec: string;
      readonly compressor: string;
      readonly bytes: number;
      readonly ratio: number;
      readonly encodeUs: number;
      readonly decodeUs: number;
      readonly exact: number;
      readonly changed: number;
      readonly reasons: readonly { readonly text: string; readonly values: number }[];
    }[];
    readonly recommendation: { readonly codec: string; readonly reason: string };
    readonly idle: readonly { readonly codec: string; readonly compressor: string }[];
    readonly warnings: readonly string[];
  }[];
}

describe('the codec benchmark', function () {
  this.timeout(60_000);

  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cachewell-codecs-'));
    const compiled = await runNode(['scripts/compile.mjs', '--fast', 'benchmarks/tsconfig.json'], {
      cwd: packageRoot,
    });
    expect(compiled).to.equal('');
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const bench = (...args: readonly string[]): Promise<ProcessResult> =>
    runProcess(process.execPath, [join(packageRoot, 'build/benchmarks/codecs.bench.js'), ...args], {
      cwd: folder,
    });

  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return name;
  };

  const figuresOf = async (...args: readonly string[]): Promise<Figures> => {
    const { code, stdout, stderr } = await bench('--rounds=1', '--json', '-', ...args);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as Figures;
  };

  it('measures every codec with every compressor on each record of a JSON array', async () => {
    const rows = Array.from({ length: 200 }, (_, id) => ({ id, name: `name ${id}`, active: true }));
    const file = write('rows.json', JSON.stringify([rows, rows.slice(1)]));
    const { samples, missing } = await figuresOf('--data', file);
    expect(samples).to.have.length(1);
    expect(samples[0]!.values).to.equal(2);
    const pairs = samples[0]!.results.map(({ codec, compressor }) => `${codec} ${compressor}`);
    const compressors = [
      'none',
      'gzip',
      'brotli',
      ...(missing.length === 0 ? ['zstd'] : []),
      'lz4',
    ];
    expect(pairs).to.deep.equal([
      'JSON by hand -',
      ...compressors.map((compressor) => `json ${compressor}`),
      ...compressors.map((compressor) => `msgpack ${compressor}`),
    ]);
    for (const { bytes, ratio, encodeUs, decodeUs, exact, changed } of samples[0]!.results) {
      expect({ exact, changed }).to.deep.equal({ exact: 2, changed: 0 });
      expect(Math.min(bytes, ratio, encodeUs, decodeUs)).to.be.greaterThan(0);
    }
    const meanBytes = (JSON.stringify(rows).length + JSON.stringify(rows.slice(1)).length) / 2;
    expect(samples[0]!.results[1]!.bytes).to.equal(meanBytes);
  });

  it('names what JSON by hand changes in NDJSON, and numbers that the file lost already', async () => {
    const file = write(
      'values.ndjson',
      '{"a":-0}\n\n{"a":1e999,"b":12345678901234567890}\n{"a":1}\n',
    );
    const [sample] = (await figuresOf('--data', file)).samples;
    const [byHand, json, msgpack] = sample!.results;
    expect(byHand!.reasons.map(({ text }) => text)).to.deep.equal([
      'value.a: -0 became 0',
      'value.a: Infinity became null',
    ]);
    expect([byHand!.exact, json!.exact, msgpack!.exact]).to.deep.equal([1, 3, 3]);
    expect(sample!.idle).to.deep.include({ codec: 'json', compressor: 'gzip' });
    expect(sample!.warnings).to.have.length(1);
    expect(sample!.recommendation.reason).to.match(/^[\d.]+ µs per read: decode /);
  });

  it('recommends fewer bytes on a slow network, and less work on a fast one', async () => {
    const text = Array.from({ length: 3000 }, (_, index) => `word${index % 97}`).join(' ');
    const file = write('text.json', JSON.stringify({ text }));
    const bytesAt = async (bandwidth: string): Promise<string> => {
      const { samples } = await figuresOf('--data', file, '--bandwidth', bandwidth);
      return (samples[0]!.recommendation as unknown as { compressor: string }).compressor;
    };
    expect(await bytesAt('1Mbit')).to.not.equal('none');
    expect(await bytesAt('100000Gbit')).to.equal('none');
  });

  const WRONG: readonly (readonly [
    title: string,
    args: () => readonly string[],
    message: RegExp,
  ])[] = [
    [
      'a missing file',
      () => ['--data', 'none.json'],
      /cannot read none\.json: there is no such file/,
    ],
    ['a directory', () => ['--data', '.'], /is a directory/],
    ['an empty file', () => ['--data', write('empty.json', ' \n')], /empty\.json is empty/],
    ['an empty list', () => ['--data', write('list.json', '[]')], /holds an empty list/],
    [
      'binary data',
      () => ['--data', write('binary.json', Uint8Array.of(0x89, 0x50, 0xff, 0, 1))],
      /not text in UTF-8/,
    ],
    [
      'text that is no JSON',
      () => ['--data', write('text.txt', 'hello \u001b[31m')],
      /^error: --data: text\.txt is neither JSON nor NDJSON: [^\p{Cc}]+\n$/u,
    ],
    [
      'a wrong line of NDJSON',
      () => ['--data', write('cut.ndjson', '{"a":1}\n{"a":\n')],
      /as NDJSON it is wrong at line 2/,
    ],
    ['an unknown option', () => ['--dtaa', 'x'], /Unknown option '--dtaa'\. Options: --data, /],
    ['an argument', () => ['codecs'], /Unexpected argument 'codecs'/],
    ['a wrong number', () => ['--rounds', '-1'], /--rounds/],
    [
      'a wrong bandwidth',
      () => ['--bandwidth', '1'],
      /--bandwidth: expected a rate such as 100Mbit/,
    ],
  ];

  for (const [title, args, message] of WRONG) {
    it(`ends with 2 and one line for ${title}`, async () => {
      const { code, stdout, stderr } = await bench(...args());
      expect({ code, stdout }, stderr).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr).to.match(message);
      expect(stderr.trimEnd().split('\n')).to.have.length(1);
    });
  }
});
