import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiServer, type ApiServer } from '../../support/api-server.ts';

describe('layout of a recording', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await openApiServer();
  });
  afterAll(() => api.close());

  const create = async (change: object = {}): Promise<string> => {
    const classroom = { signallingUrl: 'ws://127.0.0.1:9/signalling', ...change };
    const { body } = await api.json('POST', '/v1/recordings', { classroom });
    return String(body.id);
  };
  const patch = (id: string, body: unknown): ReturnType<ApiServer['json']> =>
    api.json('PATCH', `/v1/recordings/${id}/layout`, body);

  it('is changed field by field, given back by null, and the worker is told', async () => {
    const id = await create({ layout: 'spotlight', view: 'teacher' });
    const told: unknown[] = [];
    const subscription = await api.services.recordings.subscribe(id, ({ source }) => {
      if (source.kind === 'classroom') told.push(source.classroom.layout ?? null);
    });
    expect(await patch(id, {})).toMatchObject({
      status: 200,
      body: { layout: 'spotlight', focus: null, view: 'teacher', page: 1 },
    });
    expect(await patch(id, { layout: 'gallery', page: 2 })).toMatchObject({
      body: { layout: 'gallery', focus: null, view: 'teacher', page: 2 },
    });
    expect(await patch(id, { focus: 'wang' })).toMatchObject({
      body: { layout: 'gallery', focus: 'wang', view: 'teacher', page: 2 },
    });
    expect(await patch(id, { layout: null, focus: null, view: null, page: null })).toMatchObject({
      body: { layout: null, focus: null, view: 'audience', page: 1 },
    });
    await expect.poll(() => told.at(-1)).toBe(null);
    expect(told).toContain('spotlight');
    await subscription.close();
  });

  it('is kept with the recording, for whoever takes it over', async () => {
    const id = await create();
    await patch(id, { layout: 'dual-teacher', focus: 'li' });
    const { source } = await api.services.recordings.get(id);
    expect(source).toMatchObject({ classroom: { layout: 'dual-teacher', focus: 'li' } });
  });

  it.each([
    ['an unknown layout', { layout: 'board' }, 'layout'],
    ['an unknown view', { view: 'parent' }, 'view'],
    ['no page', { page: 0 }, 'page'],
    ['an empty focus', { focus: '' }, 'focus'],
    ['an unknown field', { zoom: 2 }, 'zoom'],
  ])('is left as it is by a change with %s', async (_, change, field) => {
    const id = await create({ layout: 'whiteboard' });
    expect(await patch(id, change)).toMatchObject({ status: 400, body: { field } });
    expect(await patch(id, {})).toMatchObject({ body: { layout: 'whiteboard' } });
  });

  it('is refused at creation where it is none', async () => {
    const classroom = { signallingUrl: 'ws://127.0.0.1:9/signalling', layout: 'speaker' };
    expect(await api.json('POST', '/v1/recordings', { classroom })).toMatchObject({
      status: 400,
      body: { field: 'classroom.layout' },
    });
  });

  it('belongs to classrooms that are not over, and needs the key', async () => {
    const page = await api.json('POST', '/v1/recordings', { url: 'http://127.0.0.1:9/class' });
    const noClassroom = { status: 409, body: { code: 'no-classroom' } };
    expect(await patch(String(page.body.id), { layout: 'gallery' })).toMatchObject(noClassroom);
    expect((await patch('nothing', {})).status).toBe(404);
    const id = await create();
    await api.services.recordings.update(id, (present) => ({ ...present, state: 'completed' }));
    const over = { status: 409, body: { code: 'recording-final' } };
    expect(await patch(id, { layout: 'gallery' })).toMatchObject(over);
    const path = `/v1/recordings/${id}/layout`;
    const answer = await api.request(path, { method: 'PATCH', body: '{}', key: null });
    expect(answer.status).toBe(401);
  });
});
