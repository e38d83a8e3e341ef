import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addRecording, addSegment, mediaRecordingId, RECENT_ORIGIN_MS } from './media-fixture.ts';
import { signLink, type Link } from '../../../src/access/links.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** As the api's fixture has it. */
const LINK_SECRET = 'link-secret-0123456789';
/** What the request waits for a first segment. */
const FIRST_SEGMENT_WAIT_MS = 2000;
/** A class that began a while ago, so that there is time before and after what is asked for. */
const ORIGIN_MS = RECENT_ORIGIN_MS - 160_000;

let api: ApiServer;
let id: string;
beforeAll(async () => {
  api = await openApiServer();
});
afterAll(() => api.close());
beforeEach(() => {
  id = mediaRecordingId();
});

const at = (ms: number): number => ORIGIN_MS + ms;

type Answer = {
  readonly status: number;
  readonly body: Record<string, unknown> & {
    readonly id: string;
    readonly window: { readonly startMs: number; readonly endMs: number };
    readonly links: Record<string, string>;
  };
};

async function trigger(body: object): Promise<Answer> {
  return (await api.json('POST', `/v1/recordings/${id}/highlights`, body)) as unknown as Answer;
}

/** A class that is over after so many segments, without some of them. */
async function addEnded(count: number, without: readonly number[] = []): Promise<void> {
  await addRecording(api, id, { originMs: ORIGIN_MS, state: 'completed', leadInMs: 0 });
  for (let n = 0; n < count; n++) {
    if (!without.includes(n)) await addSegment(api, id, n, `segment ${n}`);
  }
  await api.services.segments.settle(id, { originMs: ORIGIN_MS, isOver: true });
}

describe('after the class', () => {
  it('any span may be kept, and is cut to what was recorded, which is said', async () => {
    await addEnded(10);
    const inside = await trigger({ startMs: at(2_000), endMs: at(5_000), title: 'inside' });
    expect(inside).toMatchObject({
      status: 201,
      body: {
        window: { startMs: at(2_000), endMs: at(5_000) },
        bounds: { startMs: at(2_000), endMs: at(5_000) },
        holes: [],
        isPlayable: true,
        triggeredAtMs: at(3_500),
        warnings: [],
      },
    });
    const beyond = await trigger({ startMs: at(-4_000), endMs: at(60_000) });
    expect(beyond.body.window).toEqual({ startMs: at(0), endMs: at(16_000) });
    expect(beyond.body.warnings).toEqual([
      expect.stringContaining('4000 ms later'),
      expect.stringContaining('44000 ms earlier'),
    ]);
  });

  it('a window over a hole plays with the hole skipped, and says so', async () => {
    await addEnded(6, [2, 3]);
    const { body } = await trigger({ atMs: at(8_000), beforeMs: 6_000, afterMs: 500 });
    expect(body).toMatchObject({
      bounds: { startMs: at(2_000), endMs: at(8_500) },
      holes: [{ startMs: at(3_200), endMs: at(6_400) }],
    });
    const text = await (await fetch(String(body.links.playlist))).text();
    expect(text.match(/#EXT-X-GAP/g)).toHaveLength(2);
    expect(text).toContain('#EXT-X-START:TIME-OFFSET=0.4,PRECISE=YES');
    expect(text).toContain('#EXT-X-ENDLIST');
  });

  it('one in a hole alone has nothing to play', async () => {
    await addEnded(6, [2, 3]);
    const { status, body } = await trigger({ startMs: at(3_500), endMs: at(6_000) });
    expect([status, body.bounds, body.isPlayable]).toEqual([201, null, false]);
    const response = await fetch(String(body.links.playlist));
    expect([response.status, (await response.json()) as object]).toMatchObject([
      409,
      { code: 'nothing-recorded' },
    ]);
  });

  it.each([
    [{ startMs: at(20_000), endMs: at(30_000) }, 'startMs', 'window-outside-recording'],
    [{ startMs: at(5_000), endMs: at(5_000) }, 'endMs', 'window-empty'],
    [{ startMs: at(5_000), endMs: at(605_001) }, 'endMs', 'window-too-long'],
    [{ startMs: at(5_000) }, 'endMs', 'invalid-input'],
    [{ endMs: at(5_000) }, 'startMs', 'invalid-input'],
    [{ startMs: at(1), endMs: at(2), beforeMs: 1 }, 'beforeMs', 'invalid-input'],
    [{ atMs: at(60_000) }, 'atMs', 'window-outside-recording'],
    [{ beforeMs: 0, afterMs: 0 }, 'beforeMs', 'window-empty'],
    [{ beforeMs: 600_001 }, 'beforeMs', 'window-too-long'],
    [{ participants: [''] }, 'participants.0', 'invalid-input'],
    [{ precision: 'second' }, 'precision', 'invalid-input'],
    [{ merge: 'yes' }, 'merge', 'invalid-input'],
  ])('%j is refused, naming %s', async (body, field, code) => {
    await addEnded(10);
    const response = await api.request(`/v1/recordings/${id}/highlights`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
    expect(response.headers.get('Content-Type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ status: 400, field, code });
  });

  it('a recording that is not known is not found', async () => {
    const answer = await api.json('POST', '/v1/recordings/nobody/highlights', {});
    expect(answer).toMatchObject({ status: 404, body: { code: 'recording-not-found' } });
  });
});

describe('the longest clip', () => {
  it('is the recording’s own setting', async () => {
    const body = {
      url: 'http://127.0.0.1/class',
      settings: { highlights: { maxClipMs: 20_000, rules: [{ on: 'reward', beforeMs: 10_000 }] } },
    };
    const { status, body: made } = await api.json('POST', '/v1/recordings', body);
    expect(status).toBe(201);
    id = String(made.id);
    expect((await trigger({ beforeMs: 15_001, afterMs: 5_000 })).body).toMatchObject({
      status: 400,
      code: 'window-too-long',
      detail: expect.stringContaining('20000 ms') as string,
    });
    expect((await trigger({ beforeMs: 15_000, afterMs: 5_000 })).status).toBe(201);
  });
});

describe('a press of the button', () => {
  /** Now, as people press. */
  const press = (change: object = {}): Promise<Answer> =>
    trigger({ atMs: at(100_000), requestedBy: 'ms-li', ...change });

  beforeEach(() => addRecording(api, id, { originMs: ORIGIN_MS }));

  it('is one within 2 s, whatever ids it came with, and however many servers heard it at once', async () => {
    const answers = await Promise.all([
      press(),
      ...Array.from({ length: 7 }, (_, i) =>
        press({ atMs: at(100_000 + i * 280), triggerId: `press ${i}` }),
      ),
    ]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    // Each of its triggers is known from then on, also when it is heard late.
    const late = await press({ atMs: at(130_000), triggerId: 'press 3' });
    expect([late.status, late.body.id]).toEqual([200, answers[0].body.id]);
  });

  it('is another one later, for another wish, and when a program says so by its ids', async () => {
    const first = await press();
    const others = await Promise.all([
      press({ atMs: at(102_001) }),
      press({ title: 'the proof' }),
      press({ requestedBy: 'mr-wang' }),
      trigger({ atMs: at(100_000), triggerId: 'one' }),
      trigger({ atMs: at(100_000), triggerId: 'two' }),
    ]);
    const ids = [first, ...others].map(({ body }) => body.id);
    expect(new Set(ids).size).toBe(6);
  });

  it('may be pressed again once its highlight is deleted', async () => {
    const { body } = await press();
    await api.services.highlights.delete(body.id);
    const again = await press();
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(body.id);
  });
});

describe('a trigger that is heard', () => {
  it('does not bring a deleted highlight back', async () => {
    await addRecording(api, id, { originMs: ORIGIN_MS });
    const { requestHighlight, highlights } = api.services;
    const heard = { triggerId: 'heard', atMs: at(100_000), requestedBy: 'ms-li' };
    const { highlight } = await requestHighlight(id, heard, 'signalling');
    await highlights.delete(highlight.id);
    await expect(requestHighlight(id, heard, 'signalling')).rejects.toMatchObject({
      code: 'highlight-deleted',
    });
    expect(await highlights.listByRecording(id)).toEqual([]);
  });
});

describe('merging', () => {
  it('grows the open highlight that a new one overlaps, and is heard only once', async () => {
    const nowMs = Date.now();
    await addRecording(api, id, { originMs: ORIGIN_MS, leadInMs: 0 });
    const one = await trigger({ triggerId: 'one', atMs: nowMs, participants: ['wang'] });
    const more = { triggerId: 'two', atMs: nowMs + 4_000, participants: ['zhao'], merge: true };
    const two = await trigger(more);
    expect([two.status, two.body.id]).toEqual([200, one.body.id]);
    expect(two.body).toMatchObject({
      window: { startMs: nowMs - 30_000, endMs: nowMs + 9_000 },
      participants: ['wang', 'zhao'],
      afterMs: 9_000,
    });
    const again = await trigger({ ...more, atMs: nowMs + 8_000 });
    expect(again.body).toMatchObject({ id: one.body.id, window: two.body.window });
    const apart = await trigger({ triggerId: 'three', atMs: nowMs + 4_000 });
    expect(apart.body.id).not.toBe(one.body.id);
  });

  it('makes another one when the first is over, or there is none', async () => {
    await addRecording(api, id, { originMs: ORIGIN_MS, leadInMs: 0 });
    const first = await trigger({ triggerId: 'one', atMs: at(100_000), merge: true });
    expect(first.status).toBe(201);
    const second = await trigger({ triggerId: 'two', atMs: at(101_000), merge: true });
    expect(second.status).toBe(201);
  });
});

describe('the panel', () => {
  const post = (link: Partial<Link>, body: object = {}): Promise<Response> => {
    const whole: Link = {
      kind: 'recording',
      id,
      rights: ['play', 'trigger'],
      viewerId: 'ms-li',
      shareId: null,
      expiresAtMs: Date.now() + 60_000,
      ...link,
    };
    const token = signLink(whole, [LINK_SECRET]);
    return fetch(`${api.url}/t/${token}/v1/recordings/${id}/highlights`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
  };

  it('saves moments in the name of its link, once for two presses', async () => {
    await addRecording(api, id, { originMs: ORIGIN_MS });
    const body = { beforeMs: 15_000, title: '证明', requestedBy: 'somebody else' };
    const [one, two] = [
      await post({}, { ...body, triggerId: 'a' }),
      await post({}, { ...body, triggerId: 'b' }),
    ];
    expect([one.status, two.status]).toEqual([201, 200]);
    const [highlight, ...others] = await api.services.highlights.listByRecording(id);
    expect(others).toEqual([]);
    expect(highlight).toMatchObject({ origin: 'panel', requestedBy: 'ms-li', title: '证明' });
  });

  it.each([
    [{ rights: ['play'] as const }, 403],
    [{ id: 'another' }, 403],
    [{ kind: 'highlight' as const }, 403],
    [{ expiresAtMs: 1 }, 410],
  ])('saves nothing by a link with %j', async (link, status) => {
    await addRecording(api, id, { originMs: ORIGIN_MS });
    expect((await post(link)).status).toBe(status);
    expect(await api.services.highlights.listByRecording(id)).toEqual([]);
  });
});

describe('a clip whose first segment is not closed yet', () => {
  it('is waited for, by many on one subscription, and there for all of them at once', async () => {
    await addRecording(api, id);
    const { body } = await trigger({ triggerId: 't', atMs: RECENT_ORIGIN_MS, afterMs: 5_000 });
    const clients = 30;
    const url = String(body.links.playlist);
    const answers = Array.from({ length: clients }, () => fetch(url));
    const channel = `chalkreel:recording:${id}:segments:changed`;
    await waitUntil('somebody waits', async () => {
      const [, listeners] = await api.services.redis.client.pubsub('NUMSUB', channel);
      return listeners === 1;
    });
    await addSegment(api, id, 0, 'zero');
    const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain('000000-0-1.ts');
    await waitUntil('nobody listens any more', async () => {
      const [, listeners] = await api.services.redis.client.pubsub('NUMSUB', channel);
      return listeners === 0;
    });
  });

  it('asks to come back when it takes longer, and not at once', async () => {
    await addRecording(api, id);
    const { body } = await trigger({ triggerId: 't', atMs: RECENT_ORIGIN_MS, afterMs: 5_000 });
    const startedAt = performance.now();
    const response = await fetch(String(body.links.playlist));
    const tookMs = performance.now() - startedAt;
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '2']);
    // Timers may fire a millisecond early.
    expect(tookMs).toBeGreaterThan(FIRST_SEGMENT_WAIT_MS - 5);
  });
});
