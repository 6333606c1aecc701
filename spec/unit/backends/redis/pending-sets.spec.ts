import { expect } from 'chai';
import { describe, it } from 'mocha';
import { PendingSets } from '#internal/backends/redis/pending-sets.js';

describe(PendingSets.name, () => {
  it('overtakes the set of a key by a later one, and by an invalidation of the key', () => {
    const sets = new PendingSets();
    const first = sets.begin('a');
    const other = sets.begin('b');
    const second = sets.begin('a');
    expect([first, other, second].map(({ isOvertaken }) => isOvertaken)).to.deep.equal([
      true,
      false,
      false,
    ]);
    sets.end(first);
    sets.overtake('a');
    expect(second.isOvertaken).to.equal(true);
    sets.overtakeAll();
    expect(other.isOvertaken).to.equal(true);
  });

  it('forgets sets that have ended', () => {
    const sets = new PendingSets();
    const set = sets.begin('a');
    sets.end(set);
    sets.overtake('a');
    sets.overtakeAll();
    expect(set.isOvertaken).to.equal(false);
  });
});
