import { expect } from 'chai';
import { TieredNodes } from '../../../support/tiered-nodes.js';

describe('TieredBackend, with values of known sizes', () => {
  it('bounds the copies in the own tier: those that were stored here, and those that were read', async () => {
    const sizes = { bytesOf: (value: unknown): number => (value as string).length * 1_000_000 };
    const tiers = new TieredNodes(2, { space: { sizes } });
    try {
      await tiers.meet();
      const [writer, reader] = tiers.nodes;
      for (const node of tiers.nodes) {
        expect(await node.l1.info()).not.to.have.property('bytes');
      }
      expect(await writer!.fill(await writer!.begin('a'), 'x'.repeat(20))).to.equal('stored');
      expect((await writer!.l1.info())['bytes']).to.be.within(20_000_000, 20_001_000);
      expect(await reader!.read('a')).to.deep.equal(['x'.repeat(20), 'l2']);
      expect((await reader!.l1.info())['bytes']).to.be.within(20_000_000, 20_001_000);
    } finally {
      await tiers.close();
    }
  });
});
