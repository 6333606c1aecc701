import { createServer, get, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { parseArguments, UsageError } from '../support/http-conformance/arguments.js';
import {
  CONFORMANCE_BACKENDS,
  CONFORMANCE_MODES,
  CONFORMANCE_PROFILES,
  type ConformanceProfile,
} from '../support/http-conformance/conformance-run.js';
import { Forwarder } from '../support/http-conformance/forwarder.js';
import { reasonFor } from '../support/http-conformance/known-misses.js';
import { readPinned } from '../support/http-conformance/pinned-verdicts.js';
import { compareVerdicts, scoreOf, type Judged } from '../support/http-conformance/verdicts.js';
import { markdownTable } from '../support/markdown-table.js';

/** What a change of the pinned lists may not fall short of. */
const GOALS: Readonly<Record<ConformanceProfile, { required: number; optimal: number }>> = {
  rfc9111: { required: 159, optimal: 100 },
  safe: { required: 140, optimal: 0 },
};

describe('the pinned verdicts of the HTTP conformance suite', () => {
  for (const profile of CONFORMANCE_PROFILES) {
    for (const mode of CONFORMANCE_MODES) {
      it(`of the profile ${profile}, ${mode}, reach the goals without a violation`, () => {
        const tests = readPinned(profile)!.verdicts[mode];
        const { total, passed, violations } = scoreOf(tests);
        expect(new Set(tests.map(({ id }) => id)).size).to.equal(tests.length);
        expect(total).to.deep.equal({ required: 160, optimal: 105, check: 100 });
        expect(violations).to.equal(0);
        expect(passed.required).to.be.at.least(GOALS[profile].required);
        expect(passed.optimal).to.be.at.least(GOALS[profile].optimal);
      });
    }
  }

  it('are what the page says', () => {
    const rows = markdownTable(
      'HTTP-CONFORMANCE.md',
      'cache|required / 160|violations|optimal / 105|behaviour / 100|open',
    );
    const compared: string[] = [];
    for (const [name, ...figures] of rows) {
      const profile = CONFORMANCE_PROFILES.find((each) => name!.includes(`\`${each}\``));
      const mode = CONFORMANCE_MODES.find((each) => name!.includes(each));
      if (profile === undefined || mode === undefined) continue;
      const { passed, violations, open } = scoreOf(readPinned(profile)!.verdicts[mode]);
      const pinned = [passed.required, violations, passed.optimal, passed.check, open];
      expect(figures, name).to.deep.equal(pinned.map(String));
      for (const [, store, lanes] of name!.matchAll(/(\w+) \(([\w +]+)\)/g)) {
        for (const lane of lanes!.split(' + ')) compared.push([profile, mode, store, lane].join());
      }
    }
    const all = CONFORMANCE_PROFILES.flatMap((profile) =>
      CONFORMANCE_MODES.flatMap((mode) =>
        CONFORMANCE_BACKENDS.flatMap((store) =>
          ['plain', 'lane'].map((lane) => [profile, mode, store, lane].join()),
        ),
      ),
    );
    expect(compared).to.have.members(all);
  });

  it('give a reason for every test that is not passed', () => {
    for (const profile of CONFORMANCE_PROFILES) {
      const missed = readPinned(profile)!.verdicts['in-process'].filter(
        ({ kind, verdict }) => kind !== 'check' && verdict !== 'pass',
      );
      expect(
        missed.map(({ id }) => id).filter((id) => reasonFor(profile, id) === ''),
        profile,
      ).to.deep.equal([]);
    }
  });
});

describe('compareVerdicts', () => {
  const judged = (
    id: string,
    verdict: Judged['verdict'],
    kind: Judged['kind'] = 'required',
  ): Judged => ({
    group: 'any',
    id,
    kind,
    verdict,
  });

  it('gives nothing, when every test has the verdict that it had', () => {
    const tests = [judged('a', 'pass'), judged('b', 'dependency_fail')];
    expect(compareVerdicts(tests, tests.toReversed())).to.deep.equal([]);
  });

  it('gives what changed for the better and for the worse, what is new, and what is gone', () => {
    const before = [judged('a', 'pass'), judged('b', 'no', 'check'), judged('gone', 'pass')];
    const after = [judged('a', 'fail'), judged('b', 'yes', 'check'), judged('new', 'pass')];
    expect(compareVerdicts(before, after)).to.deep.equal([
      { id: 'a', before: 'required pass', after: 'required fail' },
      { id: 'b', before: 'check no', after: 'check yes' },
      { id: 'new', before: undefined, after: 'required pass' },
      { id: 'gone', before: 'required pass', after: undefined },
    ]);
  });

  it('notices that a test counts more than it did', () => {
    expect(compareVerdicts([judged('a', 'pass', 'optimal')], [judged('a', 'pass')])).to.have.length(
      1,
    );
  });
});

describe('scoreOf', () => {
  it('counts a required test that could not be judged as open, not as a violation', () => {
    const of = (verdict: Judged['verdict']): Judged => ({
      group: 'g',
      id: verdict,
      kind: 'required',
      verdict,
    });
    const { violations, open, passed } = scoreOf([
      of('fail'),
      of('setup_fail'),
      of('untested'),
      of('pass'),
    ]);
    expect({ violations, open, passed: passed.required }).to.deep.equal({
      violations: 1,
      open: 2,
      passed: 1,
    });
  });
});

describe('parseArguments', () => {
  it('runs every profile on every store, in both modes, with and without the lane, and what proves the harness', () => {
    const { runs, isComplete } = parseArguments(['--suite', 'x']);
    expect(isComplete).to.equal(true);
    const own = runs.filter(({ subject }) => subject === 'cachewell');
    expect(own).to.have.length(24);
    expect(own.filter(({ isFront }) => isFront)).to.have.length(12);
    expect(runs.map(({ subject }) => subject)).to.include.members(['none', 'apicache']);
  });

  it('does not take a part of the runs for all of them', () => {
    const { runs, isComplete } = parseArguments([
      '--suite',
      'x',
      '--backend',
      'redis',
      '--subject',
      'cachewell',
      '--front',
      'on',
    ]);
    expect(isComplete).to.equal(false);
    expect(runs.map(({ backend }) => backend)).to.deep.equal(['redis', 'redis', 'redis', 'redis']);
    expect(runs.every(({ isFront }) => isFront)).to.equal(true);
  });

  for (const wrong of [
    [],
    ['--suite', 'x', '--backend', 'disk'],
    ['--suite', 'x', '--jobs', '0'],
    ['--sweet', 'x'],
  ]) {
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      expect(() => parseArguments(wrong)).to.throw(UsageError);
    });
  }
});

const unexpected = (error: unknown): never => {
  throw error;
};

describe(Forwarder.name, () => {
  const servers: Server[] = [];
  const closers: (() => void)[] = [];

  const listen = async (listener: RequestListener): Promise<number> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };

  afterEach(() => {
    for (const close of closers.splice(0)) close();
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** Through a proxy, to an origin that answers so. */
  const through = async (
    origin: RequestListener,
    onFailure: (error: unknown) => void = unexpected,
  ): Promise<number> => {
    const forwarder = new Forwarder(await listen(origin));
    closers.push(() => forwarder.close());
    return listen((req, res) =>
      forwarder.forward(req, res, (error) => {
        onFailure(error);
        res.statusCode = 599;
        res.end();
      }),
    );
  };

  it('hands on the fields as they are, but not those of the connection', async () => {
    let asked: unknown;
    const port = await through((req, res) => {
      asked = req.headers;
      res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT');
      res.setHeader('X-Twice', ['a', 'b']);
      res.setHeader('X-Hop', '1');
      res.setHeader('Connection', 'keep-alive, x-hop');
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.end('body');
    });
    const interim: unknown[] = [];
    const { rawHeaders, body } = await new Promise<{ rawHeaders: readonly string[]; body: string }>(
      (resolve, reject) => {
        const request = get(
          { port, headers: { connection: 'x-mine', 'x-mine': '1', 'x-other': '2' } },
          (res) => {
            let text = '';
            res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
            res.on('end', () => resolve({ rawHeaders: res.rawHeaders, body: text }));
          },
        );
        request.on('information', ({ statusCode, headers }) =>
          interim.push([statusCode, headers['link']]),
        );
        request.on('error', reject);
      },
    );
    expect(body).to.equal('body');
    expect(interim).to.deep.equal([[103, '</a.css>; rel=preload']]);
    expect(rawHeaders.join('|')).to.include(
      'Date|Thu, 01 Jan 1970 00:00:00 GMT|X-Twice|a|X-Twice|b',
    );
    expect(rawHeaders).not.to.include('X-Hop');
    expect(asked).to.include({ 'x-other': '2' }).and.not.to.have.property('x-mine');
  });

  it('tells the application, when the origin dies before it has answered', async () => {
    const failures: unknown[] = [];
    const port = await through(
      (_req, res) => res.socket!.destroy(),
      (error) => failures.push(error),
    );
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).to.equal(599);
    expect(failures).to.have.length(1);
    expect(failures[0]).to.include({ status: 502 });
  });
});
