import { expect } from 'chai';
import fc from 'fast-check';
import { ConsistencyJudge } from '#internal/testing/consistency/consistency-judge.js';
import type {
  InvalidationRecord,
  OperationRecord,
  OriginValue,
  ReadRecord,
} from '#internal/testing/consistency/operation-record.js';
import { judgeNaively } from '../../../support/consistency/naive-judge.js';

const MS = 1_000_000;
const scopesOf = (key: string): readonly string[] => [`key ${key}`, 'all'];

describe(ConsistencyJudge.name, () => {
  describe('the rule', () => {
    it('finds a value whose load began before an invalidation, read after its acknowledgement', () => {
      const invalidated = invalidation({ startedAt: 20, endedAt: 30 });
      const read = reading({ startedAt: 40, value: loaded(10) });
      const { violations, examples } = judged([invalidated, read]);
      expect(violations).to.equal(1);
      expect(examples[0]).to.deep.include({ rule: 'stale', read, invalidation: invalidated });
      expect(examples[0]!.staleMs).to.equal(10 / MS);
    });

    it('passes a read that began before the acknowledgement, and counts the race', () => {
      const findings = judged([
        invalidation({ startedAt: 20, endedAt: 30 }),
        reading({ startedAt: 30, endedAt: 35, value: loaded(10) }),
      ]);
      expect(findings).to.include({ violations: 0, races: 1 });
    });

    it('passes a value whose load began when the invalidation was issued', () => {
      const findings = judged([
        invalidation({ startedAt: 20, endedAt: 30 }),
        reading({ startedAt: 40, value: loaded(20) }),
      ]);
      expect(findings).to.include({ violations: 0, races: 0 });
    });

    it('holds nobody to an invalidation that failed', () => {
      const findings = judged([
        invalidation({ startedAt: 20, endedAt: 30, isAcknowledged: false }),
        reading({ startedAt: 40, value: loaded(10) }),
      ]);
      expect(findings).to.include({ violations: 0, acknowledged: 0 });
    });

    it('takes an invalidation of any scope of the key, and of no other', () => {
      const stale = (scope: string): number =>
        judged([
          invalidation({ startedAt: 20, endedAt: 30, scopes: [scope] }),
          reading({ startedAt: 40, value: loaded(10) }),
        ]).violations;
      expect(stale('all')).to.equal(1);
      expect(stale('key b')).to.equal(0);
    });

    it('does not mistake nothing for a stale value', () => {
      const findings = judged([
        invalidation({ startedAt: 20, endedAt: 30 }),
        reading({ startedAt: 40, value: undefined }),
      ]);
      expect(findings).to.include({ violations: 0, hits: 0 });
    });

    for (const value of [null, 'text', { key: 'a', at: '1', by: 0 }, loaded(1, { key: 'b' })]) {
      it(`finds that ${JSON.stringify(value)} is none of the origin's values for the key`, () => {
        const { foreign, examples } = judged([reading({ startedAt: 40, value })]);
        expect(foreign).to.equal(1);
        expect(examples[0]!.invalidation).to.equal(undefined);
      });
    }
  });

  describe('puts', () => {
    const put = { kind: 'put', put: 0 } as const;

    it('are not void by themselves', () => {
      const findings = judged([
        invalidation({ ...put, startedAt: 20, endedAt: 30 }),
        reading({ startedAt: 40, value: loaded(20, { put: 0 }) }),
      ]);
      expect(findings).to.include({ violations: 0, hits: 1 });
    });

    it('make older values void', () => {
      const findings = judged([
        invalidation({ ...put, startedAt: 20, endedAt: 30 }),
        reading({ startedAt: 40, value: loaded(10) }),
      ]);
      expect(findings.stale).to.equal(1);
    });

    it('may come after an invalidation that was issued while they were under way', () => {
      const findings = judged([
        invalidation({ ...put, startedAt: 20, endedAt: 30 }),
        invalidation({ startedAt: 25, endedAt: 35 }),
        reading({ startedAt: 40, value: loaded(20, { put: 0 }) }),
      ]);
      expect(findings.violations).to.equal(0);
    });

    it('are void by what was issued after they had settled', () => {
      const findings = judged([
        invalidation({ ...put, startedAt: 20, endedAt: 30, isAcknowledged: false }),
        invalidation({ startedAt: 31, endedAt: 35 }),
        reading({ startedAt: 40, value: loaded(20, { put: 0 }) }),
      ]);
      expect(findings.stale).to.equal(1);
    });
  });

  describe('with a bound', () => {
    const remote = { process: 1, startedAt: 20, endedAt: 30 };
    const judge = (startedAt: number, process: number): ReturnType<typeof judged> =>
      judged(
        [
          invalidation(remote),
          reading({ process, startedAt, endedAt: startedAt, value: loaded(10) }),
        ],
        100 / MS,
      );

    it('lets other processes be late by it, and measures how late they are', () => {
      const findings = judge(130, 0);
      expect(findings.violations).to.equal(0);
      expect(findings.staleness).to.deep.include({ count: 1, maxMs: 100 / MS });
    });

    it('finds what is later', () => {
      expect(judge(131, 0)).to.include({ late: 1, stale: 0 });
    });

    it('does not let the process that invalidated be late', () => {
      expect(judge(31, 1)).to.include({ late: 0, stale: 1 });
    });
  });

  it('waits with a read for all processes, so that an invalidation told later counts', () => {
    const judge = new ConsistencyJudge({ scopesOf });
    judge.join(0);
    judge.join(1);
    judge.add(reading({ startedAt: 40, value: loaded(10) }));
    judge.advance(0, { completedTo: 100, openSince: 100 });
    judge.add(invalidation({ process: 1, startedAt: 20, endedAt: 30 }));
    expect(judge.findings().stale).to.equal(0);
    judge.advance(1, { completedTo: 50, openSince: 50 });
    expect(judge.findings().stale).to.equal(1);
  });

  it('judges without a process that has left', () => {
    const judge = new ConsistencyJudge({ scopesOf });
    judge.join(0);
    judge.join(1);
    judge.add(invalidation({ process: 0, startedAt: 20, endedAt: 30 }));
    judge.add(reading({ startedAt: 40, value: loaded(10) }));
    judge.advance(0, { completedTo: 100, openSince: 100 });
    expect(judge.findings().stale).to.equal(0);
    judge.leave(1);
    expect(judge.findings().stale).to.equal(1);
  });

  it('shows with a violation what led to it', () => {
    const load: OperationRecord = {
      type: 'load',
      key: 'a',
      process: 0,
      startedAt: 10,
      endedAt: 25,
    };
    const first = reading({ startedAt: 5, endedAt: 33, value: loaded(10) });
    const invalidated = invalidation({ process: 1, startedAt: 20, endedAt: 30 });
    const read = reading({ startedAt: 40, value: loaded(10) });
    const earlier = invalidation({ process: 1, startedAt: 1, endedAt: 3 });
    const { examples } = judged([earlier, load, invalidated, first, read]);
    expect(examples[0]!.trail).to.deep.equal([first, load, invalidated, read]);
  });

  it('finds an old value after more invalidations than it keeps', () => {
    const records: OperationRecord[] = [];
    for (let at = 100; at < 100_000; at += 10) {
      records.push(invalidation({ startedAt: at, endedAt: at + 5 }));
    }
    records.push(reading({ startedAt: 200_000, value: loaded(1) }));
    expect(judged(records).stale).to.equal(1);
  });

  it('agrees with a naive judge about any history, however it is told', () => {
    fc.assert(
      fc.property(histories, fc.nat({ max: 30 }), fc.integer(), (history, bound, order) => {
        const naive = judgeNaively(history, scopesOf, bound);
        const { examples, ...findings } = judged(history, bound / MS, order);
        const byRule = (rule: string): number => naive.filter((each) => each.rule === rule).length;
        expect(findings).to.include({
          stale: byRule('stale'),
          late: byRule('late'),
          foreign: byRule('foreign'),
        });
        for (const { read, rule, staleMs } of examples) {
          const verdict = naive.find((each) => each.read === read);
          expect(verdict?.rule).to.equal(rule);
          expect(staleMs * MS).to.be.closeTo(verdict!.staleNs, 1e-6);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('finds every stale read planted in a history that is clean', () => {
    fc.assert(
      fc.property(histories, fc.integer(), (history, order) => {
        const guilty = new Set(judgeNaively(history, scopesOf, 0).map(({ read }) => read));
        const clean = history.filter((each) => each.type !== 'read' || !guilty.has(each));
        expect(judged(clean, 0, order).violations).to.equal(0);
        const invalidated = clean.find(
          (each) => each.type === 'invalidation' && each.isAcknowledged,
        );
        if (invalidated === undefined) return;
        const key = invalidated.type === 'invalidation' && keyHitBy(invalidated);
        const planted = reading({
          key: key as string,
          startedAt: invalidated.endedAt + 1,
          endedAt: invalidated.endedAt + 2,
          value: loaded(invalidated.startedAt - 1, { key: key as string }),
        });
        expect(judged([...clean, planted], 0, order).stale).to.equal(1);
      }),
    );
  });
});

const process = fc.nat({ max: 2 });
const key = fc.constantFrom('a', 'b');
const moment = fc.nat({ max: 60 });
const times = fc
  .tuple(moment, fc.nat({ max: 15 }))
  .map(([startedAt, span]) => ({ startedAt, endedAt: startedAt + span }));

/** Short histories of few keys, so that most operations meet; the puts of a process have numbers of their own. */
const histories: fc.Arbitrary<readonly OperationRecord[]> = fc
  .array(
    fc.oneof(
      fc
        .tuple(process, fc.constantFrom('key a', 'key b', 'all'), times, fc.nat({ max: 4 }))
        .map(([by, scope, when, chance]) =>
          invalidation({
            process: by,
            scopes: [scope],
            ...when,
            isAcknowledged: chance > 0,
            ...(chance === 1 && { kind: 'put', put: 0 }),
          }),
        ),
      fc
        .tuple(process, key, times, fc.option(fc.tuple(moment, process, fc.nat({ max: 5 }))))
        .map(([by, of, when, value]) =>
          reading({
            process: by,
            key: of,
            ...when,
            value:
              value === null
                ? undefined
                : loaded(value[0], {
                    key: of,
                    by: value[1],
                    ...(value[2] < 2 && { put: value[2] }),
                  }),
          }),
        ),
    ),
    { maxLength: 24 },
  )
  .map((records) => {
    const puts = [0, 0, 0];
    return records.map((each) =>
      each.type === 'invalidation' && each.put !== undefined
        ? { ...each, put: puts[each.process]!++ }
        : each,
    );
  });

/** Tells a judge a history as its processes would, in batches that begin and end anywhere. */
function judged(
  history: readonly OperationRecord[],
  boundMs = 0,
  order = 0,
): ReturnType<ConsistencyJudge['findings']> {
  const judge = new ConsistencyJudge({ scopesOf, boundMs, examples: 100 });
  const queues = [0, 1, 2].map((number) => {
    judge.join(number, -1);
    return history.filter((each) => each.process === number).sort((a, b) => a.endedAt - b.endedAt);
  });
  let chance = order;
  queues.forEach(({ length }, number) => {
    if (length === 0) judge.leave(number);
  });
  while (queues.some(({ length }) => length > 0)) {
    chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fffffff;
    const number = (chance >>> 8) % 3;
    const queue = queues[number]!;
    if (queue.length === 0) continue;
    const batch = queue.splice(0, 1 + ((chance >>> 16) % 3));
    for (const record of batch) judge.add(record);
    const next = queue[0];
    if (next === undefined) judge.leave(number);
    else {
      judge.advance(number, {
        completedTo: next.endedAt - 1,
        openSince: Math.min(...queue.map(({ startedAt }) => startedAt)),
      });
    }
  }
  return judge.findings();
}

function invalidation(record: Partial<InvalidationRecord>): InvalidationRecord {
  return {
    type: 'invalidation',
    kind: 'key',
    process: 0,
    scopes: ['key a'],
    startedAt: 0,
    endedAt: 0,
    isAcknowledged: true,
    ...record,
  };
}

function reading(record: Partial<ReadRecord> & { readonly startedAt: number }): ReadRecord {
  return {
    type: 'read',
    kind: 'read',
    process: 0,
    key: 'a',
    endedAt: record.startedAt + 1,
    value: undefined,
    ...record,
  };
}

function loaded(at: number, value: Partial<OriginValue> = {}): OriginValue {
  return { key: 'a', at, by: 0, ...value };
}

function keyHitBy({ scopes }: InvalidationRecord): string {
  const [scope] = scopes;
  return scope === 'all' ? 'a' : scope!.slice('key '.length);
}
