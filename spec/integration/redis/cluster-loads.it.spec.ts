import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';
import { eventually } from '../../support/eventually.js';
import { LoadingRemote } from '../../support/loading-remote.js';
import { RedisServer } from '../../support/redis-server.js';

const PROCESSES = 3;
const CALLERS = 50;
const LEASE_MS = 500;
const KILLS = 3;

describe("Processes that share their loads, by sync: 'cluster'", () => {
  let server: RedisServer;
  let remotes: LoadingRemote[] = [];
  let runs = 0;

  before(async () => {
    server = await RedisServer.start();
  });

  after(() => server.stop());

  afterEach(async () => {
    await Promise.all(remotes.map((remote) => remote.kill()));
  });

  const loads = (): number => remotes.reduce((sum, remote) => sum + remote.loads, 0);

  /** The one that loads, once there is one. */
  const loader = async (before: ReadonlyMap<LoadingRemote, number>): Promise<LoadingRemote> => {
    const isLoading = (remote: LoadingRemote): boolean => remote.loads > (before.get(remote) ?? 0);
    await eventually('somebody loads', () => remotes.some(isLoading));
    return remotes.find(isLoading)!;
  };
  const counts = (): Map<LoadingRemote, number> =>
    new Map(remotes.map((remote) => [remote, remote.loads]));

  for (const isTiered of [false, true]) {
    const place = isTiered ? 'in two tiers' : 'in Redis';

    it(`load once for all, and once more for each loader that is killed, ${place}`, async function () {
      this.timeout(120_000);
      const prefix = `loads${++runs}`;
      const start = (): Promise<LoadingRemote> =>
        LoadingRemote.start({ url: server.url, prefix, lease: LEASE_MS, isTiered });
      remotes = await Promise.all(Array.from({ length: PROCESSES }, start));

      const reading = remotes.map((remote) => remote.read('first', CALLERS));
      const first = await loader(new Map());
      first.finish();
      for (const { values } of await Promise.all(reading)) {
        expect(values).to.deep.equal([`of ${first.pid}`]);
      }
      expect(loads()).to.equal(1);

      for (let kill = 0; kill < KILLS; kill++) {
        const before = counts();
        const running = new Map(
          remotes.map((remote) => [remote, remote.read(`killed ${kill}`, CALLERS)]),
        );
        const victim = await loader(before);
        await victim.kill();
        remotes = remotes.filter((remote) => remote !== victim);
        const heir = await loader(before);
        heir.finish();
        const done = await Promise.all(remotes.map((remote) => running.get(remote)!));
        for (const { values } of done) expect(values).to.deep.equal([`of ${heir.pid}`]);
        expect(done.map((each) => each.loads).toSorted((a, b) => a - b)).to.deep.equal([0, 1]);
        remotes.push(await start());
      }
    });
  }
});
