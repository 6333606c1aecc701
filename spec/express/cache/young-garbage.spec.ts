import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CacheManager } from 'cachewell';
import { httpCache } from 'cachewell/express';
import { expect } from 'chai';
import express, { type Express, type RequestHandler } from 'express';
import { askAgain } from '../../support/requests-without-sockets.js';

describe('httpCache, a miss that is stored', function () {
  this.timeout(120_000);
  const REQUESTS = 3_000;

  /** The bytes of a request that were not freed with what died young. */
  async function survivingBytes(app: Express): Promise<number> {
    const server = createServer(app);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const session = new Session();
    session.connect();
    try {
      await askAgain(server, REQUESTS);
      // What is in use now is old from here on, as in a server that has run for a while.
      collect();
      await askAgain(server, REQUESTS);
      await session.post('HeapProfiler.startSampling', {
        samplingInterval: 2_048,
        includeObjectsCollectedByMajorGC: true,
      });
      await askAgain(server, REQUESTS);
      const { profile } = await session.post('HeapProfiler.stopSampling');
      let bytes = 0;
      const nodes = [profile.head];
      for (const node of nodes) {
        bytes += node.selfSize;
        nodes.push(...node.children);
      }
      return bytes / REQUESTS;
    } finally {
      session.disconnect();
      setFlagsFromString('--no-expose-gc');
    }
  }

  it('lets what it needed be freed young, beside what it stores', async () => {
    const manager = new CacheManager();
    const answer: RequestHandler = (_req, res) => void res.json([1]);
    const plain = await survivingBytes(express().get('/plain', answer));
    const bytes = await survivingBytes(
      express().get('/plain', httpCache({ manager, ttl: '1h' }), answer),
    );
    expect(bytes).to.be.below(plain + 2_500);
    await manager.close();
  });
});
