import { expect } from 'chai';
import { describe, it } from 'mocha';
import { RedisGetBatch } from '#internal/backends/redis/redis-get-batch.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';

function clientThat(answer: (names: string[]) => Promise<(Buffer | null)[]>): {
  client: RedisLike;
  sent: string[][];
} {
  const sent: string[][] = [];
  const mgetBuffer = (...names: string[]): Promise<(Buffer | null)[]> => {
    sent.push(names);
    return answer(names);
  };
  return { client: { mgetBuffer } as unknown as RedisLike, sent };
}

describe(RedisGetBatch.name, () => {
  const echo = (names: string[]): Promise<(Buffer | null)[]> =>
    Promise.resolve(names.map((name) => (name === 'none' ? null : Buffer.from(name))));

  it('joins the reads of one turn, with one generation behind them', async () => {
    const { client, sent } = clientThat(echo);
    const batch = new RedisGetBatch('generation');
    const pairs = await Promise.all(['a', 'none', 'b'].map((name) => batch.read(client, name)));
    expect(sent).to.deep.equal([['a', 'none', 'b', 'generation']]);
    expect(pairs.map(({ bytes }) => bytes?.toString())).to.deep.equal(['a', undefined, 'b']);
    for (const { generation } of pairs) expect(generation?.toString()).to.equal('generation');
    await batch.read(client, 'c');
    expect(sent[1]).to.deep.equal(['c', 'generation']);
  });

  it('sends at most a hundred entries in a command', async () => {
    const { client, sent } = clientThat(echo);
    const batch = new RedisGetBatch('generation');
    await Promise.all(Array.from({ length: 250 }, (_, index) => batch.read(client, `k${index}`)));
    expect(sent.map((names) => names.length)).to.deep.equal([101, 101, 51]);
  });

  it('fails every read of a command that fails', async () => {
    const failure = new Error('gone');
    const { client } = clientThat(() => Promise.reject(failure));
    const batch = new RedisGetBatch('generation');
    const outcomes = await Promise.allSettled([batch.read(client, 'a'), batch.read(client, 'b')]);
    for (const outcome of outcomes) expect(outcome).to.include({ reason: failure });
  });
});
