import { expect } from 'chai';
import type { CacheBus } from '#internal/cache/cache-bus.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import {
  HEARTBEAT_MS,
  MAX_STALENESS_MS,
  settle,
  type TieredNode,
  TieredNodes,
} from '../../../support/tiered-nodes.js';

/** How soon after a fault is mended no own tier may serve what was invalidated meanwhile (promise P3). */
const HEALED_WITHIN_MS = 2_000;

describe('Tiered backends that tell each other', () => {
  let nodes: TieredNodes;
  let writer: TieredNode;
  let reader: TieredNode;

  beforeEach(async () => {
    nodes = new TieredNodes(2);
    [writer, reader] = nodes.nodes as [TieredNode, TieredNode];
    await nodes.meet();
    await writer.set('k', 'old', { tags: ['blue'] });
    await settle();
    await reader.get('k');
  });

  afterEach(() => nodes.close());

  /** Reads once per heartbeat, and tells for how long the old value was seen. */
  const staleFor = async (ms: number): Promise<number> => {
    const since = nodes.clock.now();
    let last = since;
    for (let passed = 0; passed < ms; passed += HEARTBEAT_MS) {
      await nodes.advance(HEARTBEAT_MS);
      if ((await reader.get('k')) === 'old') last = nodes.clock.now();
    }
    return last - since;
  };

  const distrusts = async (node: TieredNode): Promise<number> =>
    (await node.backend.info()).distrusts as number;

  /** Somebody on the channel who is no backend of ours. */
  const stranger = (prefix: string): CacheBus => {
    const bus = nodes.hub.connect();
    bus.attach({
      clock: nodes.clock,
      logger: silentLogger,
      prefix,
      report: () => undefined,
      receive: () => undefined,
      subscribed: () => undefined,
      interrupted: () => undefined,
    });
    return bus;
  };

  it('see what another one invalidates as soon as they are told', async () => {
    expect(await reader.read('k')).to.deep.equal(['old', 'l1']);
    await writer.set('k', 'new');
    await settle();
    expect(await reader.read('k')).to.deep.equal(['new', 'l2']);
  });

  it('do not drop what they put themselves when they hear of it', async () => {
    await writer.set('k', 'new');
    await settle();
    await nodes.advance(HEARTBEAT_MS);
    expect(await writer.read('k')).to.deep.equal(['new', 'l1']);
    expect(writer.bus.held).to.have.length(0);
  });

  it('do not take another one’s message for an echo of their own write', async () => {
    // Both set the key; the message of the later one arrives while the earlier one is still busy.
    const held = writer.l2.hold('store', 'response');
    const writing = writer.set('k', 'earlier');
    await held.arrived();
    await reader.set('k', 'later');
    await settle();
    held.release();
    await writing;
    await settle();
    expect(await writer.get('k')).to.equal('later');
    expect(await reader.get('k')).to.equal('later');
  });

  it('drop everything when a message was lost, at the next one', async () => {
    reader.bus.dropNext();
    await writer.set('k', 'new');
    await settle();
    expect(await reader.get('k')).to.equal('old');
    expect(await staleFor(MAX_STALENESS_MS)).to.equal(0);
  });

  it('do not drop anything for a message that comes twice', async () => {
    reader.bus.hold();
    await writer.set('k', 'new');
    await settle();
    reader.bus.duplicate();
    reader.bus.release();
    await reader.get('k');
    const before = await distrusts(reader);
    await nodes.advance(5 * HEARTBEAT_MS);
    expect(await distrusts(reader)).to.equal(before);
    expect(await reader.read('k')).to.deep.equal(['new', 'l1']);
  });

  it('drop everything when messages come in another order', async () => {
    reader.bus.hold();
    await writer.set('k', 'new');
    await writer.set('l', 'new');
    await settle();
    reader.bus.move(0, 1);
    const before = await distrusts(reader);
    reader.bus.deliver();
    expect(await distrusts(reader)).to.equal(before + 1);
    expect(await reader.get('k')).to.equal('new');
    reader.bus.release();
    expect(await reader.get('k')).to.equal('new');
  });

  it('drop nothing for a bus that works', async () => {
    const before = await Promise.all([distrusts(writer), distrusts(reader)]);
    for (let round = 0; round < 50; round++) {
      await writer.set(`k${round}`, round);
      await nodes.advance(HEARTBEAT_MS);
    }
    expect(await Promise.all([distrusts(writer), distrusts(reader)])).to.deep.equal(before);
    expect(await reader.read('k')).to.deep.equal(['old', 'l1']);
  });

  for (const [name, side] of [
    ['the reader', () => reader],
    ['the writer', () => writer],
  ] as const) {
    it(`serve nothing beyond maxStaleness while ${name} is in a black hole`, async () => {
      side().bus.swallow();
      await writer.set('k', 'new').catch(() => 'not told');
      expect(await staleFor(4 * MAX_STALENESS_MS)).to.be.below(MAX_STALENESS_MS);
    });

    it(`are coherent again at once when the connection of ${name} is back`, async () => {
      side().bus.cut();
      await writer.set('k', 'new').catch(() => 'not told');
      side().bus.heal();
      expect(await staleFor(3 * HEALED_WITHIN_MS)).to.be.at.most(HEARTBEAT_MS);
    });

    it(`are coherent within two seconds when the black hole of ${name} ends`, async () => {
      side().bus.swallow();
      await nodes.advance(HEARTBEAT_MS);
      await writer.set('k', 'new').catch(() => 'not told');
      await nodes.advance(HEARTBEAT_MS);
      side().bus.heal();
      expect(await staleFor(3 * HEALED_WITHIN_MS)).to.be.at.most(HEALED_WITHIN_MS);
    });
  }

  it('drop everything the moment they are subscribed again', async () => {
    reader.bus.cut();
    await writer.set('k', 'new');
    reader.bus.heal();
    expect(await reader.get('k')).to.equal('new');
  });

  it('go on serving what they have while the bus is cut, but not for long', async () => {
    reader.bus.cut();
    expect(await reader.read('k')).to.deep.equal(['old', 'l1']);
    await nodes.advance(MAX_STALENESS_MS);
    expect(await reader.read('k')).to.deep.equal(['old', 'l2']);
  });

  it('drop everything at once when a process that was silent speaks again', async () => {
    writer.bus.refuse();
    await writer.set('k', 'new').catch(() => 'not told');
    await nodes.advance(MAX_STALENESS_MS / 2);
    writer.bus.heal();
    await nodes.advance(HEARTBEAT_MS);
    expect(await reader.get('k')).to.equal('new');
  });

  for (const text of ['no message', '[2,"later-release",1,0,"k"]', '[1,"s",1,0,"k"]']) {
    it(`drop everything, and go on, when they read ${text}`, async () => {
      const before = await distrusts(reader);
      await stranger('app').publish(text);
      await settle();
      expect(await distrusts(reader)).to.equal(before + 1);
      expect(await reader.read('k')).to.deep.equal(['old', 'l2']);
      expect(await reader.read('k')).to.deep.equal(['old', 'l1']);
    });
  }

  it('hear nothing from backends with another prefix', async () => {
    const before = await distrusts(reader);
    await stranger('another').publish('anything');
    await nodes.advance(HEARTBEAT_MS);
    expect(await distrusts(reader)).to.equal(before);
  });

  it('know a process that joins from its first word on', async () => {
    const late = nodes.start();
    await settle();
    const before = await distrusts(reader);
    await late.set('k', 'new');
    await settle();
    expect(await reader.get('k')).to.equal('new');
    expect(await distrusts(reader)).to.equal(before);
    await late.backend.close(0);
  });

  describe('regressions of others', () => {
    it('JetCache: a reader between the two tiers’ deletes does not bring the old value back', async () => {
      // There, the own tier was dropped first: who read before the shared one was dropped filled it again.
      const held = writer.l2.hold('delete');
      const deleting = writer.store.delete(['k']) as Promise<number>;
      await held.arrived();
      expect(await writer.get('k')).to.equal('old');
      held.release();
      await deleting;
      expect(await writer.get('k')).to.equal(undefined);
      await settle();
      expect(await reader.get('k')).to.equal(undefined);
    });

    it('FusionCache#613: a copy that is under way when the key is removed is not kept', async () => {
      await writer.store.clear();
      await writer.set('k', 'old');
      await settle();
      const held = reader.l2.hold('get', 'response');
      const reading = reader.get('k');
      await held.arrived();
      await writer.store.delete(['k']);
      await settle();
      held.release();
      // The reader began before the delete: it may have the value, but nobody after it.
      expect(await reading).to.equal('old');
      expect(await reader.get('k')).to.equal(undefined);
    });

    it('FusionCache#627: reading again what was invalidated by tag invalidates nothing elsewhere', async () => {
      // There, a node that learnt of the tag's marker later sent it on with a time of its own.
      await writer.backend.invalidateTags({ anyOf: ['blue'] });
      await settle();
      await writer.set('k', 'new', { tags: ['blue'] });
      await settle();
      nodes.hub.forgetMessages();
      const late = nodes.start();
      await settle();
      const sent = nodes.hub.messages.length;
      expect(await late.get('k')).to.equal('new');
      expect(await reader.get('k')).to.equal('new');
      await late.store.getMany(['k', 'none']);
      await settle();
      expect(nodes.hub.messages).to.have.length(sent);
      expect(await writer.read('k')).to.deep.equal(['new', 'l1']);
      expect(await reader.read('k')).to.deep.equal(['new', 'l1']);
      await late.backend.close(0);
    });
  });
});
