import { expect } from 'chai';
import { PutRegister } from '#internal/testing/consistency/put-register.js';

describe(PutRegister.name, () => {
  it('tells when a put settled, and that one has not', () => {
    const puts = new PutRegister(4);
    puts.settle(1, 20);
    puts.settle(0, 30);
    expect([0, 1, 2].map((put) => puts.settledBy(put))).to.deep.equal([30, 20, Infinity]);
  });

  it('tells no moment before the settlement of a put that is long past', () => {
    const puts = new PutRegister(4);
    [50, 10, 20, 30, 60, 40].forEach((at, put) => puts.settle(put, at));
    expect(puts.settledBy(0)).to.equal(50);
    expect(puts.settledBy(1)).to.equal(50);
    expect(puts.settledBy(5)).to.equal(40);
  });

  it('knows no bound once a put was forgotten that had not settled', () => {
    const puts = new PutRegister(4);
    [1, 2, 3, 4].forEach((put) => puts.settle(put, put * 10));
    expect(puts.settledBy(0)).to.equal(Infinity);
    puts.settle(0, 90);
    expect(puts.settledBy(0)).to.equal(Infinity);
    expect(puts.settledBy(4)).to.equal(40);
  });
});
