import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamSource } from '../../../src/model/recording.ts';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';

const camera = (participantId: string, change: object = {}): StreamSource => ({
  participantId,
  name: participantId,
  role: 'student',
  kind: 'whep',
  url: `http://127.0.0.1:9/whep/${participantId}`,
  ...change,
});

describe('streams of a recording', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await openApiServer();
  });
  afterAll(() => api.close());

  const create = async (sources: readonly unknown[]): ReturnType<ApiServer['json']> =>
    api.json('POST', '/v1/recordings', {
      classroom: { signallingUrl: 'ws://127.0.0.1:9/signalling', sources },
    });
  const patch = (id: unknown, body: unknown): ReturnType<ApiServer['json']> =>
    api.json('PATCH', `/v1/recordings/${String(id)}/sources`, body);

  it('are added, changed and taken away, and the worker is told', async () => {
    const { body } = await create([camera('a'), camera('b')]);
    const told: (readonly string[])[] = [];
    const subscription = await api.services.recordings.subscribe(String(body.id), ({ source }) => {
      if (source.kind === 'classroom') {
        told.push(source.classroom.sources.map(({ participantId, url }) => participantId + url));
      }
    });
    const changed = [camera('a', { url: 'http://127.0.0.1:9/elsewhere' }), camera('c')];
    const remove = [{ participantId: 'b', role: 'student' }];
    const answer = await patch(body.id, { set: changed, remove });
    expect(answer).toMatchObject({ status: 200, body: { sources: changed } });
    await expect
      .poll(() => told.at(-1))
      .toEqual(changed.map(({ participantId, url }) => participantId + url));
    await subscription.close();
  });

  it.each([
    ['a file: URL', { set: [camera('a', { url: 'file:///etc/passwd' })] }, 'set.0.url'],
    ['an unknown kind', { set: [camera('a', { kind: 'rtmp' })] }, 'set.0.kind'],
    ['an unknown field', { put: [] }, 'put'],
    ['a name without a role', { remove: [{ participantId: 'a' }] }, 'remove.0.role'],
  ])('are left as they are by a change with %s', async (_, change, field) => {
    const { body } = await create([camera('a')]);
    const refused = await patch(body.id, change);
    expect(refused.status).toBe(400);
    expect(refused.body.field).toBe(field);
    const { source } = await api.services.recordings.get(String(body.id));
    expect(source).toMatchObject({ classroom: { sources: [camera('a')] } });
  });

  it('are refused at creation where that can be known', async () => {
    const { status, body } = await create([camera('a', { url: 'file:///etc/passwd' })]);
    expect({ status, field: body.field }).toEqual({
      status: 400,
      field: 'classroom.sources.0.url',
    });
    const twice = await create([camera('a'), camera('a')]);
    expect(twice).toMatchObject({ status: 400, body: { field: 'classroom.sources' } });
  });

  it('belong to classrooms: a page shows its own', async () => {
    const { body } = await api.json('POST', '/v1/recordings', { url: 'http://127.0.0.1:9/class' });
    expect(await patch(body.id, { set: [camera('a')] })).toMatchObject({
      status: 409,
      body: { code: 'no-classroom' },
    });
    expect((await patch('nothing', {})).status).toBe(404);
  });

  it('need the key', async () => {
    const { body } = await create([camera('a')]);
    const path = `/v1/recordings/${String(body.id)}/sources`;
    const answer = await api.request(path, { method: 'PATCH', body: '{}', key: null });
    expect(answer.status).toBe(401);
  });
});
