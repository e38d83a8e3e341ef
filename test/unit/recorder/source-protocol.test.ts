import { describe, expect, it } from 'vitest';
import type { StreamSource } from '../../../src/model/recording.ts';
import { joinSourceReports, type SourceReport } from '../../../src/model/source-report.ts';
import {
  applySourceChanges,
  changeSourcesSchema,
  classroomSourceSchema,
  MAX_SOURCES,
  newClassroomSchema,
} from '../../../src/protocol/classroom.ts';

const whep = (participantId: string, change: object = {}): StreamSource => ({
  participantId,
  name: participantId,
  role: 'student',
  kind: 'whep',
  url: `http://127.0.0.1/whep/${participantId}`,
  ...change,
});
const classOf = (...sources: unknown[]): unknown => ({
  signallingUrl: 'ws://127.0.0.1/signalling',
  sources,
});
const jwt = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

/** The first complaint, as the API would give it. */
const complaint = (sources: unknown[]): string => {
  const result = newClassroomSchema.safeParse(classOf(...sources));
  const [issue] = result.error?.issues ?? [];
  return `${issue?.path.join('.')}: ${issue?.message}`;
};

describe('streams of a class', () => {
  it('may be WHEP with token and ICE servers, HLS, or a file', () => {
    const turn = { urls: ['turn:127.0.0.1:3478'], username: 'u', credential: 'c' };
    const sources = [
      whep('a', { token: 'abc.def-_~+/=', iceServers: [{ urls: ['stun:127.0.0.1'] }, turn] }),
      { ...whep('b'), kind: 'hls' },
      { ...whep('c'), kind: 'file' },
      whep('a', { role: 'screen' }),
    ];
    expect(newClassroomSchema.parse(classOf(...sources)).sources).toEqual(sources);
  });

  it.each([
    ['a file: URL', { url: 'file:///etc/passwd' }, 'sources.0.url', 'http: or https:'],
    ['a blob: URL', { url: 'blob:http://x/1' }, 'sources.0.url', 'http: or https:'],
    ['no URL', { url: 'camera 1' }, 'sources.0.url', 'http: or https:'],
    ['an unknown kind', { kind: 'rtmp' }, 'sources.0.kind', 'one of whep, hls, file'],
    ['an unknown role', { role: 'pet' }, 'sources.0.role', 'one of teacher'],
    ['a token with a line end', { token: 'a\r\nb' }, 'sources.0.token', 'bearer token'],
    ['a token that has expired', { token: jwt({ exp: 1 }) }, 'sources.0.token', 'not expired'],
    ['a token for HLS', { kind: 'hls', token: 'x' }, 'sources.0', 'token'],
    ['TURN without password', { iceServers: [{ urls: ['turn:h'] }] }, 'iceServers', 'credential'],
    ['an HTTP ICE server', { iceServers: [{ urls: ['http://h'] }] }, 'iceServers', 'stun:'],
  ])('are refused with %s, by name', (_, change, field, expected) => {
    const said = complaint([{ ...whep('a'), ...change }]);
    expect(said).toContain(field);
    expect(said).toContain(expected);
  });

  it('are refused when one is named twice, or there are more than 25', () => {
    expect(complaint([whep('a'), whep('a')])).toContain('once');
    const many = Array.from({ length: MAX_SOURCES + 1 }, (_, i) => whep(`p${i}`));
    expect(complaint(many)).toContain('at most 25');
  });

  it('are still shown when a token has expired since: the page says what the server says', () => {
    const late = classOf(whep('a', { token: jwt({ exp: 1 }) }));
    expect(classroomSourceSchema.safeParse(late).success).toBe(true);
    const fresh = [whep('a', { token: jwt({ exp: Date.now() / 1000 + 60 }) })];
    expect(newClassroomSchema.safeParse(classOf(...fresh)).success).toBe(true);
  });
});

describe('changes of streams', () => {
  it('replace in place, add at the end, and take away', () => {
    const changes = changeSourcesSchema.parse({
      set: [whep('a', { token: 'new' }), whep('d')],
      remove: [{ participantId: 'b', role: 'student' }],
    });
    const after = applySourceChanges([whep('a'), whep('b'), whep('c')], changes);
    expect(after).toEqual([whep('a', { token: 'new' }), whep('c'), whep('d')]);
  });

  it('never make more than 25', () => {
    const full = Array.from({ length: MAX_SOURCES }, (_, i) => whep(`p${i}`));
    expect(() => applySourceChanges(full, { set: [whep('x')], remove: [] })).toThrow(/at most 25/);
  });
});

describe('reports of streams', () => {
  const report = (participantId: string, change: Partial<SourceReport> = {}): SourceReport => ({
    ...{ participantId, role: 'student', kind: 'whep', state: 'playing', error: null },
    ...{ detail: null, freezes: 1, frozenMs: 600, reconnects: 2, failures: 3, shownMs: 1000 },
    ...{ decodedFrames: 10, droppedFrames: 1, packetsLost: 4, concealedMs: 20 },
    ...change,
  });

  it('of two workers are summed; the later says how it is', () => {
    const later = report('a', { state: 'failed', error: 'unauthorized', detail: 'no' });
    const joined = joinSourceReports([report('a'), report('b')], [later, report('c')]);
    expect(joined).toEqual([
      report('a', {
        ...{ state: 'failed', error: 'unauthorized', detail: 'no', freezes: 2, frozenMs: 1200 },
        ...{ reconnects: 4, failures: 6, shownMs: 2000, decodedFrames: 20, droppedFrames: 2 },
        ...{ packetsLost: 8, concealedMs: 40 },
      }),
      report('b'),
      report('c'),
    ]);
  });
});
