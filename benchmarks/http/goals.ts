import type { Section } from '../support/report.js';
import { pairedDifferences, pairedRatio, spreadOf, type Spread } from '../support/statistics.js';
import type { HttpTiming } from './measure.js';
import {
  APICACHE,
  EXPRESS_JSON,
  EXPRESS_NO_STORE,
  EXPRESS_UNIQUE,
  FIRST_MIDDLEWARE,
  FRONT,
  FRONT_HEAD,
  FRONT_LIMITED,
  FRONT_NOT_MODIFIED,
  HANDED_ON,
  MIDDLEWARE,
  MIDDLEWARE_LIMITED,
  MISS,
  RAW,
  UNCACHEABLE,
} from './subjects.js';

/** How fast one subject is to be, beside another one. */
export interface Goal {
  readonly subject: string;
  readonly base: string;
  readonly least: number;
}

/** What the bridge is held to. */
export const GOALS: readonly Goal[] = [
  { subject: FRONT, base: RAW, least: 0.85 },
  { subject: FRONT_NOT_MODIFIED, base: RAW, least: 0.85 },
  { subject: FRONT_HEAD, base: RAW, least: 0.85 },
  { subject: FRONT, base: APICACHE, least: 5 },
  { subject: MIDDLEWARE, base: FIRST_MIDDLEWARE, least: 0.93 },
  { subject: UNCACHEABLE, base: EXPRESS_NO_STORE, least: 0.85 },
  { subject: MISS, base: EXPRESS_UNIQUE, least: 0.85 },
];

/** Two subjects that differ in one thing. */
export interface Pair {
  readonly subject: string;
  readonly base: string;
}

/** Whose overhead is shown: what misses cost beside the route without the bridge, and what a limiter adds to hits. */
export const OVERHEADS: readonly Pair[] = [
  { subject: MISS, base: EXPRESS_UNIQUE },
  { subject: UNCACHEABLE, base: EXPRESS_NO_STORE },
  { subject: HANDED_ON, base: EXPRESS_JSON },
  { subject: FRONT_LIMITED, base: FRONT },
  { subject: MIDDLEWARE_LIMITED, base: MIDDLEWARE },
];

/** What one subject costs beyond another, in microseconds of processor time per request. */
export interface Overhead extends Pair {
  /** Of the differences of each round. */
  readonly addedUs: Spread;
  /** Of the best rounds of either: what else the machine does can only add to them. */
  readonly bestAddedUs: number;
}

/** What one subject costs beyond another. */
export function overheadsOf(
  pairs: readonly Pair[],
  timings: readonly HttpTiming[],
): readonly Overhead[] {
  return pairs.map(({ subject, base }) => {
    const [own, other] = [timingOf(timings, subject).cpuUs, timingOf(timings, base).cpuUs];
    return {
      subject,
      base,
      addedUs: spreadOf(pairedDifferences(own, other)),
      bestAddedUs: Math.min(...own) - Math.min(...other),
    };
  });
}

/** The same as a table. */
export function overheadSection(overheads: readonly Overhead[]): Section {
  return {
    title: 'Overhead',
    table: {
      columns: [
        { title: 'subject', align: 'left' },
        { title: 'beside', align: 'left' },
        { title: 'added CPU µs' },
        { title: 'min..max' },
        { title: 'best rounds' },
      ],
      rows: overheads.map(({ subject, base, addedUs: { median, min, max }, bestAddedUs }) => [
        subject,
        base,
        median.toFixed(1),
        `${min.toFixed(1)}..${max.toFixed(1)}`,
        bestAddedUs.toFixed(1),
      ]),
    },
  };
}

/** What became of the goals, by processor time and by requests per second. */
export function goalSection(goals: readonly Goal[], timings: readonly HttpTiming[]): Section {
  const of = (name: string): HttpTiming => timingOf(timings, name);
  return {
    title: 'Goals',
    table: {
      columns: [
        { title: 'subject', align: 'left' },
        { title: 'beside', align: 'left' },
        { title: 'goal' },
        { title: 'by CPU' },
        { title: 'best rounds' },
        { title: 'by req/s' },
        { title: 'p99 ratio' },
      ],
      rows: goals.map(({ subject, base, least }) => [
        subject,
        base,
        least.toFixed(2),
        pairedRatio(of(base).cpuUs, of(subject).cpuUs).toFixed(2),
        // What else the machine does can only add to it.
        (Math.min(...of(base).cpuUs) / Math.min(...of(subject).cpuUs)).toFixed(2),
        pairedRatio(of(subject).perSecond, of(base).perSecond).toFixed(2),
        pairedRatio(of(subject).p99Ms, of(base).p99Ms).toFixed(2),
      ]),
    },
  };
}

function timingOf(timings: readonly HttpTiming[], name: string): HttpTiming {
  return timings.find((timing) => timing.name === name)!;
}
