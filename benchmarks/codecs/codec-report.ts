import type { Section } from '../support/report.js';
import { figure } from '../support/table.js';
import type { Measurement, SampleResult } from './measurement.js';
import {
  bandwidthText,
  combinationName,
  costUs,
  recommend,
  recommendForAll,
  type CostModel,
} from './recommendation.js';

const SHOWN_REASONS = 6;
const OTHER_BANDWIDTHS = [100e6, 1e9, 10e9];

/** The table of one sample, with the recommendation and what was refused or changed. */
export function sampleSection(
  result: SampleResult,
  model: CostModel,
  thresholdBytes: number,
): Section {
  const { sample, base, measurements, idle } = result;
  const recommendation = recommend(result, model);
  const several = sample.values.length > 1;
  return {
    title: `${sample.name}: ${sample.description}`,
    intro: `${several ? 'Means per value' : 'One value'}; ratio to the bytes of ${
      base.isByHand
        ? 'JSON.stringify'
        : `${combinationName(base)}, for JSON.stringify refuses some of the values`
    }.`,
    table: {
      columns: [
        { title: '', align: 'left' },
        { title: 'codec', align: 'left' },
        { title: 'compressor', align: 'left' },
        { title: 'bytes' },
        { title: 'ratio' },
        { title: 'encode µs' },
        { title: 'decode µs' },
        { title: 'cost µs' },
        { title: 'values', align: 'left' },
      ],
      rows: measurements.map((each) => [
        each.combination === recommendation?.combination ? '>' : '',
        each.combination.codec,
        each.combination.compressor,
        wholeFigure(each.bytes),
        Number.isNaN(each.ratio) ? '-' : each.ratio.toFixed(2),
        figure(each.encodeUs.median),
        figure(each.decodeUs.median),
        figure(costUs(each, model)),
        fidelityText(each),
      ]),
    },
    notes: [
      recommendation === undefined
        ? 'No recommendation: every combination refuses every value.'
        : `Recommended: ${combinationName(recommendation.combination)}. ${capitalise(recommendation.reason)}`,
      ...(idle.length === 0
        ? []
        : [
            `Not measured, for no encoded value reaches the threshold of ${thresholdBytes} bytes: ` +
              `${idle.map(combinationName).join(', ')}.`,
          ]),
      ...reasonNotes(measurements),
      ...(sample.warnings ?? []),
    ],
  };
}

/** What is best for each sample, here and at other bandwidths, and for all of them together. */
export function summarySection(
  results: readonly SampleResult[],
  model: CostModel,
  missing: readonly string[],
): Section {
  const bandwidths = [...new Set([model.bitsPerSecond, ...OTHER_BANDWIDTHS])].sort((a, b) => a - b);
  const forAll = recommendForAll(results, model);
  const nameAt = (result: SampleResult, bitsPerSecond: number): string => {
    const best = recommend(result, { ...model, bitsPerSecond });
    return best === undefined ? '-' : combinationName(best.combination);
  };
  return {
    title: 'Recommendations',
    table: {
      columns: [
        { title: 'sample', align: 'left' },
        { title: 'JSON bytes' },
        ...bandwidths.map((each) => ({
          title: `at ${bandwidthText(each)}`,
          align: 'left' as const,
        })),
      ],
      rows: results.map((result) => [
        result.sample.name,
        wholeFigure(
          result.measurements.find(({ combination }) => combination === result.base)!.bytes,
        ),
        ...bandwidths.map((each) => nameAt(result, each)),
      ]),
    },
    notes: [
      ...(forAll === undefined || results.length === 1
        ? []
        : [
            `For all samples at ${bandwidthText(model.bitsPerSecond)}, as one manager has one choice: ` +
              `${combinationName(forAll.combination)}, on geometric mean ${forAll.meanFactor.toFixed(2)} times the ` +
              "cost of each sample's best. `@Cacheable({ codec, compress })` overrides it for one method.",
          ]),
      ...missing.map((reason) => `Not measured: ${reason}`),
    ],
  };
}

/** The same for machines. */
export function sampleFigures(result: SampleResult, model: CostModel): object {
  const { sample, base, measurements } = result;
  const recommendation = recommend(result, model);
  return {
    name: sample.name,
    description: sample.description,
    values: sample.values.length,
    ratioBase: combinationName(base),
    results: measurements.map((each) => ({
      codec: each.combination.codec,
      compressor: each.combination.compressor,
      bytes: finite(each.bytes),
      ratio: finite(each.ratio),
      encodeUs: finite(each.encodeUs.median),
      decodeUs: finite(each.decodeUs.median),
      costUs: finite(costUs(each, model)),
      compressedValues: each.compressed,
      exact: each.fidelity.exact,
      refused: each.fidelity.refused,
      changed: each.fidelity.changed,
      reasons: each.fidelity.reasons,
    })),
    recommendation:
      recommendation === undefined
        ? null
        : {
            codec: recommendation.combination.codec,
            compressor: recommendation.combination.compressor,
            reason: recommendation.reason,
          },
    idle: result.idle.map(({ codec, compressor }) => ({ codec, compressor })),
    warnings: sample.warnings ?? [],
  };
}

function fidelityText({ fidelity: { exact, refused, changed } }: Measurement): string {
  if (refused + changed === 0) return 'exact';
  return [
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(exact > 0 ? [`${exact} exact`] : []),
  ].join(', ');
}

/** A note for each codec that refuses or changes something, said once whatever the compressor. */
function reasonNotes(measurements: readonly Measurement[]): readonly string[] {
  const said = new Set<string>();
  return measurements.flatMap(({ combination, fidelity }) =>
    (['refused', 'changed'] as const).flatMap((kind) => {
      const reasons = fidelity.reasons.filter((each) => each.kind === kind);
      if (reasons.length === 0) return [];
      const texts = reasons
        .slice(0, SHOWN_REASONS)
        .map(({ text, values }) => `${text} (${plural(values)})`);
      const more =
        reasons.length > SHOWN_REASONS ? `; and ${reasons.length - SHOWN_REASONS} more` : '';
      const note = `${combination.codec} ${kind === 'refused' ? 'refuses' : 'changes silently'}: ${texts.join('; ')}${more}.`;
      if (said.has(note)) return [];
      said.add(note);
      return [note];
    }),
  );
}

function plural(values: number): string {
  return values === 1 ? '1 value' : `${values} values`;
}

function wholeFigure(number: number): string {
  return Number.isNaN(number) ? '-' : Math.round(number).toLocaleString('en-US');
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** JSON has no `NaN`; a figure that there is none of is `null`. */
function finite(number: number): number | null {
  return Number.isFinite(number) ? Math.round(number * 1000) / 1000 : null;
}
