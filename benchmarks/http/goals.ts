import type { Section } from '../support/report.js';
import { pairedRatio } from '../support/statistics.js';
import type { HttpTiming } from './measure.js';
import {
  APICACHE,
  EXPRESS_NO_STORE,
  EXPRESS_UNIQUE,
  FIRST_MIDDLEWARE,
  FRONT,
  FRONT_HEAD,
  FRONT_NOT_MODIFIED,
  MIDDLEWARE,
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

/** What became of the goals, by processor time and by requests per second. */
export function goalSection(goals: readonly Goal[], timings: readonly HttpTiming[]): Section {
  const of = (name: string): HttpTiming => timings.find((timing) => timing.name === name)!;
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
