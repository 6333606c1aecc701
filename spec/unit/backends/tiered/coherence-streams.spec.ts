import { expect } from 'chai';
import type { MessageBody } from '#internal/backends/tiered/coherence-message.js';
import {
  CoherenceStreams,
  SILENT_BEATS,
  SUSPICION_MS,
  type Verdict,
} from '#internal/backends/tiered/coherence-streams.js';

const BEAT_MS = 500;

describe(CoherenceStreams.name, () => {
  let streams: CoherenceStreams;
  let now: number;

  const beat: MessageBody = { kind: 'beat', intervalMs: BEAT_MS };
  const news: MessageBody = { kind: 'clearAll' };

  beforeEach(() => {
    streams = new CoherenceStreams('me', BEAT_MS);
    now = 10_000;
    streams.listen(now);
    streams.check(now);
  });

  const hear = (number: number, body: MessageBody = news, sender = 'b', epoch = 1): Verdict =>
    streams.receive({ sender, epoch, number, body }, now);

  /** An own heartbeat, sent now. */
  const send = (number: number, epoch = 1): void => streams.beatSent(epoch, number, now);
  const echo = (number: number, epoch = 1): Verdict => hear(number, beat, 'me', epoch);

  /** Lets time pass in beats, while the own ones come back. */
  let ownNumber = 0;
  const pass = (beats: number): boolean[] =>
    Array.from({ length: beats }, () => {
      now += BEAT_MS;
      const isAnySilent = streams.check(now);
      send(ownNumber);
      echo(ownNumber++);
      return isAnySilent;
    });

  beforeEach(() => {
    ownNumber = 0;
  });

  describe('#receive', () => {
    it('takes what comes in sequence', () => {
      expect(hear(0)).to.equal('apply');
      expect(hear(1, beat)).to.equal('ignore');
      expect(hear(2)).to.equal('apply');
      expect(hear(0, news, 'c')).to.equal('apply');
      expect(streams.size).to.equal(2);
    });

    it('distrusts at a gap, and goes on from there', () => {
      hear(0);
      expect(hear(2)).to.equal('distrust');
      expect(hear(3)).to.equal('apply');
    });

    it('sees by a heartbeat that the message before it is missing', () => {
      hear(0);
      expect(hear(2, beat)).to.equal('distrust');
    });

    it('ignores what was here before, and what comes after its successor', () => {
      hear(0);
      expect(hear(0)).to.equal('ignore');
      expect(hear(2)).to.equal('distrust');
      expect(hear(1)).to.equal('ignore');
      expect(hear(3)).to.equal('apply');
    });

    it('distrusts when a sender was not heard from its first message on', () => {
      expect(hear(7, beat)).to.equal('distrust');
      expect(hear(0, beat, 'c', 2)).to.equal('distrust');
    });

    it('distrusts at a new epoch, and ignores the old one after that', () => {
      hear(0);
      expect(hear(0, beat, 'b', 2)).to.equal('distrust');
      expect(hear(1)).to.equal('ignore');
      expect(hear(1, news, 'b', 2)).to.equal('apply');
    });

    it('does not do again what it did itself', () => {
      expect(hear(0, news, 'me')).to.equal('ignore');
    });

    it('distrusts when an own message is missing: others may be, too', () => {
      send(0);
      echo(0);
      expect(hear(2, news, 'me')).to.equal('distrust');
    });

    it('forgets who says goodbye, and ignores what comes of him twice', () => {
      hear(0);
      expect(hear(1, { kind: 'bye' })).to.equal('ignore');
      expect(streams.size).to.equal(0);
      expect(hear(1, { kind: 'bye' })).to.equal('ignore');
      expect(hear(0)).to.equal('ignore');
      expect(pass(10)).to.not.include(true);
      expect(streams.suspected).to.equal(0);
    });

    it('distrusts when a goodbye shows a gap, or something comes after it', () => {
      hear(0);
      expect(hear(2, { kind: 'bye' })).to.equal('distrust');
      expect(hear(4)).to.equal('distrust');
    });
  });

  describe('#check', () => {
    it('notices a sender that is silent for three heartbeats, once', () => {
      hear(0, beat);
      expect(pass(SILENT_BEATS)).to.not.include(true);
      expect(pass(1)).to.deep.equal([true]);
      expect(pass(5)).to.not.include(true);
      expect(streams.size).to.equal(0);
      expect(streams.suspected).to.equal(1);
    });

    it('goes by the interval that the sender told', () => {
      hear(0, { kind: 'beat', intervalMs: 10 * BEAT_MS });
      expect(pass(30)).to.not.include(true);
      expect(pass(1)).to.deep.equal([true]);
    });

    it('does not judge others while it does not hear itself', () => {
      hear(0, beat);
      pass(1);
      for (let beats = 0; beats < 20; beats++) {
        now += BEAT_MS;
        expect(streams.check(now)).to.equal(false);
      }
      expect(streams.isHearing(now)).to.equal(false);
      // Hearing again, it gives the others the time that they would have had.
      expect(pass(SILENT_BEATS)).to.not.include(true);
      expect(pass(2)).to.include(true);
    });

    it('judges nobody right after a stall, before what has come is read', () => {
      hear(0, beat);
      pass(1);
      now += 60_000;
      expect(streams.check(now)).to.equal(false);
      hear(1, beat);
      expect(pass(SILENT_BEATS)).to.not.include(true);
    });

    it('distrusts when a silent sender is heard again', () => {
      hear(0, beat);
      pass(SILENT_BEATS + 1);
      expect(hear(1, beat)).to.equal('distrust');
      expect(streams.suspected).to.equal(0);
    });
  });

  describe('#proof', () => {
    it('is none before an own heartbeat has come back', () => {
      hear(0, beat);
      expect(streams.proof()).to.equal(undefined);
      send(0);
      expect(streams.proof()).to.equal(undefined);
    });

    it('is the time at which the own heartbeat was sent, while nobody else is there', () => {
      send(0);
      const sentAt = now;
      now += 100;
      echo(0);
      expect(streams.proof()).to.equal(sentAt);
    });

    it('waits for every other sender, heard after the echo', () => {
      const [first] = [now];
      send(0);
      hear(0, beat);
      hear(0, beat, 'c');
      echo(0);
      expect(streams.proof()).to.equal(undefined);
      hear(1, beat);
      expect(streams.proof()).to.equal(undefined);
      hear(1, beat, 'c');
      expect(streams.proof()).to.equal(first);
      now += BEAT_MS;
      send(1);
      echo(1);
      expect(streams.proof()).to.equal(first);
      hear(2, beat, 'c');
      expect(streams.proof()).to.equal(first);
      hear(2, beat);
      expect(streams.proof()).to.equal(now);
    });

    it('does not count what was here before', () => {
      hear(0, beat);
      const first = now;
      send(0);
      echo(0);
      hear(1, beat);
      now += BEAT_MS;
      send(1);
      echo(1);
      hear(1, beat);
      expect(streams.proof()).to.equal(first);
    });

    it('stands still while a sender is suspected, and goes on in the end', () => {
      hear(0, beat);
      pass(SILENT_BEATS + 1);
      expect(streams.proof()).to.equal(undefined);
      pass(SUSPICION_MS / BEAT_MS + 1);
      expect(streams.suspected).to.equal(0);
      expect(streams.proof()).to.equal(now);
    });

    it('stands still while own heartbeats do not come back', () => {
      send(0);
      echo(0);
      const last = now;
      now += 10 * BEAT_MS;
      expect(streams.proof()).to.equal(last);
      expect(streams.isHearing(now)).to.equal(false);
    });

    it('does not go by heartbeats that are long overtaken', () => {
      for (let number = 0; number < 40; number++) {
        now += BEAT_MS;
        send(number);
      }
      expect(echo(0)).to.equal('ignore');
      expect(streams.proof()).to.equal(undefined);
      for (let number = 1; number < 40; number++) echo(number);
      expect(streams.proof()).to.equal(now);
    });
  });
});
