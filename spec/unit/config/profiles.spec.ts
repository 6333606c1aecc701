import { expect } from 'chai';
import { profile } from '#internal/config/profiles.js';
import { InvalidOptionError } from '#internal/errors.js';

describe('profile', () => {
  it('gives development 10 minutes, no compression, debugging', () => {
    expect(profile('development')).to.deep.equal({
      debug: true,
      redis: {},
      cache: { defaultTtlMs: 600_000, compression: 'none' },
    });
  });

  it('gives staging 30 minutes and compression', () => {
    expect(profile('staging')).to.deep.equal({
      debug: false,
      redis: {},
      cache: { defaultTtlMs: 1_800_000, compression: 'gzip' },
    });
  });

  it('gives production 1 hour, compression, TLS and 100 connections', () => {
    expect(profile('production')).to.deep.equal({
      debug: false,
      redis: { ssl: true, maxConnections: 100 },
      cache: { defaultTtlMs: 3_600_000, compression: 'gzip' },
    });
  });

  it('knows dev and prod', () => {
    expect(profile('dev')).to.equal(profile('development'));
    expect(profile('prod')).to.equal(profile('production'));
  });

  it('gives frozen values', () => {
    const production = profile('production');

    expect(production).to.be.frozen;
    expect(production.redis).to.be.frozen;
    expect(production.cache).to.be.frozen;
  });

  it('refuses an unknown name, with the known ones and the nearest', () => {
    expect(() => profile('stagging' as 'staging')).to.throw(
      InvalidOptionError,
      "profile: expected one of development (dev), staging, production (prod), got 'stagging' (string); did you mean 'staging'?",
    );
  });

  for (const name of ['constructor', '__proto__', '', 5, undefined]) {
    it(`refuses ${String(name) || 'an empty name'}`, () => {
      expect(() => profile(name as 'staging')).to.throw(InvalidOptionError);
    });
  }
});
