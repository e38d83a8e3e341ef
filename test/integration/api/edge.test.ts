import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signLink, type Link } from '../../../src/access/links.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { openApiServer, TEST_LINK_SECRET, type ApiServer } from '../../support/api-server.ts';
import { addRecording, addSegment } from './media-fixture.ts';

type CheckLink = (url: string, secrets: readonly string[], nowMs: number) => Promise<string>;

const resources = new Resources();
let api: ApiServer;
let checkLink: CheckLink;
beforeAll(async () => {
  api = resources.use(await openApiServer());
  const doc = await readFile('docs/sharing.md', 'utf8');
  const code = String(/```js\n([^]+?)```/.exec(doc)?.[1]);
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  ({ checkLink } = (await import(url)) as { checkLink: CheckLink });
});
afterAll(() => resources.close());

it('an edge that runs the documented function serves nobody whom the origin would refuse', async () => {
  await addRecording(api, 'edge');
  await addRecording(api, 'other');
  await addSegment(api, 'edge', 0, 'zero');
  const nowMs = Date.now();
  const good: Link = {
    kind: 'recording',
    id: 'edge',
    rights: ['play'],
    viewerId: '妈妈',
    shareId: null,
    expiresAtMs: nowMs + 60_000,
  };
  const cases: [string, Partial<Link>, string, string][] = [
    ['good', {}, TEST_LINK_SECRET, 'serve'],
    ['another secret', {}, 'another-secret-0123456789', 'refuse'],
    ['expired', { expiresAtMs: nowMs }, TEST_LINK_SECRET, 'refuse'],
    ['no right to play', { rights: ['download', 'trigger'] }, TEST_LINK_SECRET, 'refuse'],
    ['of another recording', { id: 'other' }, TEST_LINK_SECRET, 'ask'],
    ['of a highlight', { kind: 'highlight' }, TEST_LINK_SECRET, 'ask'],
    ['of a share', { shareId: 'revoked' }, TEST_LINK_SECRET, 'ask'],
  ];
  for (const [what, change, secret, expected] of cases) {
    const token = signLink({ ...good, ...change }, [secret]);
    for (const path of ['recordings/edge/index.m3u8', 'recordings/edge/segments/000000-0-1.ts']) {
      const url = `${api.url}/t/${token}/v1/${path}`;
      const answer = await checkLink(url, ['old-secret-0123456789', TEST_LINK_SECRET], nowMs);
      expect([what, path, answer]).toEqual([what, path, expected]);
      const { status } = await fetch(url, { method: 'HEAD' });
      expect([what, status === 200]).toEqual([what, expected === 'serve']);
    }
  }
  const token = signLink(good, [TEST_LINK_SECRET]);
  const at = (path: string): Promise<string> =>
    checkLink(`${api.url}/t/${token}/v1/${path}`, [TEST_LINK_SECRET], nowMs);
  expect(await at('recordings/other/index.m3u8')).toBe('ask');
  expect(await at('highlights/edge/clip.mp4')).toBe('ask');
  expect(await at('recordings/edge/recording.mp4?download=1')).toBe('ask');
});
