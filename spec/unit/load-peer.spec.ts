import { expect } from 'chai';
import { CacheConfigurationError, MissingPeerError } from '#internal/errors.js';
import { loadPeer } from '#internal/load-peer.js';

describe('loadPeer', () => {
  it('gives the package', () => {
    expect(loadPeer('MsgpackCodec', 'msgpackr', '^2.0.0')).to.have.property('Packr');
  });

  it('names feature, package and range of one that is missing', () => {
    expect(() => loadPeer('The feature', 'no-such-package', '^1.2.3'))
      .to.throw(
        MissingPeerError,
        /The feature.*'no-such-package' \(\^1\.2\.3\).*npm install no-such-package/,
      )
      .that.includes({ packageName: 'no-such-package', range: '^1.2.3' });
  });

  it('does not call one missing that fails to load', () => {
    expect(() => loadPeer('The feature', 'node:no-such-module', '*'))
      .to.throw(CacheConfigurationError, /fails to load/)
      .that.is.not.instanceOf(MissingPeerError);
  });
});
