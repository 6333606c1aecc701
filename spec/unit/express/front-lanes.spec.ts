import { expect } from 'chai';
import { FrontLanes, type FrontLane } from '#internal/express/front-lanes.js';

function laneOf(key: string, core: object = CORE): FrontLane {
  return {
    route: ROUTE,
    core,
    key,
    policy: undefined,
    hints: undefined,
    app: undefined,
    isTrusted: undefined,
    limits: [],
    isUsed: false,
  } as unknown as FrontLane;
}

const CORE = {};
const ROUTE = {};

describe(FrontLanes.name, () => {
  it('keeps those that were used when there are too many', () => {
    const lanes = new FrontLanes(3);
    for (const name of ['a', 'b', 'c']) lanes.learn(name, laneOf(name));
    lanes.find('a')!.isUsed = true;
    lanes.learn('d', laneOf('d'));
    expect(['a', 'b', 'c', 'd'].filter((name) => lanes.find(name))).to.deep.equal(['a', 'c', 'd']);
    lanes.learn('e', laneOf('e'));
    expect(lanes.size).to.equal(3);
    // Its chance is used up.
    for (const name of ['f', 'g']) lanes.learn(name, laneOf(name));
    expect(lanes.find('a')).to.equal(undefined);
    expect(lanes.size).to.equal(3);
  });

  it('never exceeds its bound, even if all are used', () => {
    const lanes = new FrontLanes(10);
    for (let index = 0; index < 1000; index++) {
      lanes.learn(`${index}`, { ...laneOf(`${index}`), isUsed: true });
      expect(lanes.size).to.be.at.most(10);
    }
  });

  it('gives up what was seen under two keys', () => {
    const lanes = new FrontLanes(3);
    lanes.learn('a', laneOf('x'));
    lanes.learn('a', laneOf('x'));
    expect(lanes.find('a')!.key).to.equal('x');
    lanes.learn('a', laneOf('y'));
    expect(lanes.find('a')).to.equal(null);
    lanes.learn('a', laneOf('x'));
    expect(lanes.find('a')).to.equal(null);
  });

  it('takes a new lane where the manager was replaced', () => {
    const lanes = new FrontLanes(3);
    lanes.learn('a', laneOf('x'));
    const core = {};
    lanes.learn('a', laneOf('y', core));
    expect(lanes.find('a')!.core).to.equal(core);
  });
});
