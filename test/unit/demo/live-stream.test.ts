import { describe, expect, it } from 'vitest';
import { FragmentReader, type Fragment } from '../../../src/demo/fragments.ts';
import { LiveStream } from '../../../src/demo/live-stream.ts';

const INIT = Buffer.from('init');
const fragment = (name: string, startsWithKey: boolean): Fragment => ({
  data: Buffer.from(name),
  videoTicks: 45_000,
  startsWithKey,
});

function feed(stream: LiveStream, segments: number): void {
  for (let n = 0; n < segments; n++) {
    stream.append(INIT, fragment(`${n}a`, true), 10_500 + n * 1000);
    stream.append(INIT, fragment(`${n}b`, false), 11_000 + n * 1000);
  }
}

describe('live stream', () => {
  it('lists whole segments, and the open one by its parts', async () => {
    const stream = new LiveStream();
    stream.begin();
    feed(stream, 2);
    const playlist = await stream.playlist();
    expect(playlist).toContain('#EXTINF:1.00000,\n0.m4s');
    expect(playlist).not.toContain('\n1.m4s');
    expect(playlist).toContain('#EXT-X-PART:DURATION=0.50000,URI="1.0.m4s",INDEPENDENT=YES');
    expect(playlist).toContain(`#EXT-X-PROGRAM-DATE-TIME:${new Date(11_000).toISOString()}`);
    expect(stream.find('0.m4s')?.toString()).toBe('0a0b');
    expect(stream.find('1.1.m4s')?.toString()).toBe('1b');
    expect(stream.find('1.m4s')).toBeUndefined();
    expect(stream.find('init-1.mp4')).toBe(INIT);
  });

  it('forgets what has left the window', async () => {
    const stream = new LiveStream();
    stream.begin();
    feed(stream, 20);
    expect(await stream.playlist()).toContain('#EXT-X-MEDIA-SEQUENCE:12');
    expect(stream.find('11.m4s')).toBeUndefined();
    expect(stream.find('12.m4s')).toBeDefined();
  });

  it('holds a playlist request until the part it names is there', async () => {
    const stream = new LiveStream();
    stream.begin();
    feed(stream, 2);
    let isAnswered = false;
    const answer = stream.playlist({ msn: 2, part: 0 }).finally(() => (isAnswered = true));
    await Promise.resolve();
    expect(isAnswered).toBe(false);
    stream.append(INIT, fragment('2a', true), 12_500);
    expect(await answer).toContain('URI="2.0.m4s"');
  });

  it('has no playlist once its camera is gone, and answers those who wait', async () => {
    const stream = new LiveStream();
    stream.begin();
    feed(stream, 1);
    const waiting = stream.playlist({ msn: 5, part: 0 });
    stream.end();
    expect(await waiting).toBeUndefined();
    expect(await stream.playlist()).toBeUndefined();
  });

  it('goes on counting segments when the camera is back, with a new initialisation', async () => {
    const stream = new LiveStream();
    stream.begin();
    feed(stream, 3);
    stream.end();
    stream.begin();
    stream.append(Buffer.from('second'), fragment('3a', true), 99_000);
    expect(stream.isPlayable).toBe(false);
    stream.append(Buffer.from('second'), fragment('4a', true), 99_500);
    const playlist = await stream.playlist();
    expect(playlist).toContain('#EXT-X-MEDIA-SEQUENCE:3');
    expect(playlist).toContain('URI="init-2.mp4"');
    expect(stream.find('init-1.mp4')).toBeUndefined();
    expect(stream.find('0.m4s')).toBeUndefined();
  });
});

describe('fragment reader', () => {
  const box = (type: string, ...content: Buffer[]): Buffer => {
    const body = Buffer.concat(content);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + body.length);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, body]);
  };
  const words = (...values: number[]): Buffer => {
    const data = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => data.writeUInt32BE(value, i * 4));
    return data;
  };
  /** Track 1, default duration 6000, default flags non-sync; first sample flagged as a key when asked. */
  const moof = (samples: number, isKey: boolean): Buffer =>
    box(
      'moof',
      box(
        'traf',
        box('tfhd', words(0x00_00_00_28, 1, 6000, 0x0001_0000)),
        box('trun', words(0x00_00_00_05, samples, 0, isKey ? 0x0200_0000 : 0x0101_0000)),
      ),
    );

  it('finds initialisation and fragments in bytes that come one by one', () => {
    const head = Buffer.concat([box('ftyp', words(1)), box('moov', words(2))]);
    const first = Buffer.concat([moof(8, true), box('mdat', words(7))]);
    const second = Buffer.concat([moof(7, false), box('mdat', words(8, 9))]);
    const reader = new FragmentReader();
    const found = [...Buffer.concat([head, first, second])].flatMap((byte) =>
      reader.push(Buffer.from([byte])),
    );
    expect(reader.init).toEqual(head);
    expect(found).toEqual([
      { data: first, videoTicks: 48_000, startsWithKey: true },
      { data: second, videoTicks: 42_000, startsWithKey: false },
    ]);
  });

  it('refuses bytes that are no MP4', () => {
    expect(() => new FragmentReader().push(Buffer.from('not an mp4 at all'))).toThrow(
      /expected MP4/,
    );
  });
});
