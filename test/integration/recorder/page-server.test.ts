import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startPageServer } from '../../../recorder/page-server.ts';
import { delay, Resources } from '../../../src/lifecycle.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const resources = new Resources();
afterEach(() => resources.close());

describe('the link of a recorder tab', () => {
  it('loses nothing of what the tab says before anybody listens', async () => {
    const folder = resources.use(await makeTempFolder('pages')).path;
    const pages = resources.use(await startPageServer(folder));
    const { token, opened } = pages.issueTicket();
    const origin = new URL(pages.recorderUrl).origin;
    const tab = new WebSocket(`${pages.linkUrl}?token=${token}`, { origin });
    await once(tab, 'open');
    tab.send('first words');
    const socket = await opened;
    // Long enough for the words to come, on loopback.
    await delay(50);
    const heard = once(socket, 'message', { signal: AbortSignal.timeout(2000) });
    socket.resume();
    expect(String((await heard)[0])).toBe('first words');
  });

  it('is refused without a ticket, to another origin, and a second time', async () => {
    const folder = resources.use(await makeTempFolder('pages')).path;
    const pages = resources.use(await startPageServer(folder));
    const { token } = pages.issueTicket();
    const origin = new URL(pages.recorderUrl).origin;
    const outcome = async (asked: string, from: string): Promise<string> => {
      const tab = new WebSocket(`${pages.linkUrl}?token=${asked}`, { origin: from });
      return once(tab, 'open').then(
        () => 'opened',
        () => 'refused',
      );
    };
    expect(await outcome('wrong', origin)).toBe('refused');
    expect(await outcome(token, 'http://localhost')).toBe('refused');
    expect(await outcome(token, origin)).toBe('opened');
    expect(await outcome(token, origin)).toBe('refused');
  });
});
