import { expect } from 'chai';
import { invalidatedGroups, MAX_GROUPS, responseGroups } from '#internal/http/cache-groups.js';

describe('responseGroups', () => {
  it('is empty where nothing is named', () => expect(responseGroups({})).to.deep.equal([]));

  it('parts Surrogate-Key at blanks', () => {
    expect(responseGroups({ 'surrogate-key': ' a  b\tc ' })).to.deep.equal(['a', 'b', 'c']);
  });

  it('parts Cache-Tag at commas and keeps blanks inside', () => {
    expect(responseGroups({ 'cache-tag': 'a b, c,,"d' })).to.deep.equal(['a b', 'c', '"d']);
  });

  it('reads Cache-Groups as a list of strings', () => {
    expect(responseGroups({ 'cache-groups': '"a, b";x=1, "c"' })).to.deep.equal(['a, b', 'c']);
  });

  it('takes all lines of all fields, each group once', () => {
    const fields = {
      'surrogate-key': ['a b', 'c'],
      'cache-tag': ['b', 'd'],
      'cache-groups': ['"a"', '"e"'],
    };
    expect(responseGroups(fields)).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
  });

  it('cannot tell the groups of a Cache-Groups that is broken', () => {
    for (const text of ['a', '"a', '"a",', '1', '("a")']) {
      expect(responseGroups({ 'cache-groups': text }), text).to.equal(undefined);
    }
  });

  it('gives up beyond the limit, not at it', () => {
    const keys = (count: number) =>
      Array.from({ length: count }, (_, index) => `k${index}`).join(' ');
    expect(responseGroups({ 'surrogate-key': keys(MAX_GROUPS) })).to.have.length(MAX_GROUPS);
    expect(responseGroups({ 'surrogate-key': keys(MAX_GROUPS + 1) })).to.equal(undefined);
  });
});

describe('invalidatedGroups', () => {
  it('reads Cache-Group-Invalidation', () => {
    expect(invalidatedGroups({ 'cache-group-invalidation': '"a", "b"' })).to.deep.equal(['a', 'b']);
    expect(invalidatedGroups({})).to.deep.equal([]);
    expect(invalidatedGroups({ 'cache-group-invalidation': 'a' })).to.equal(undefined);
  });
});
