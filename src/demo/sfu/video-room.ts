import type { JanusHandle, JanusSession, Jsep } from './janus-client.ts';
import { VIDEO_ROOM } from './janus-config.ts';

const PLUGIN = 'janus.plugin.videoroom';

/** One half of a stream through Janus's videoroom: its publisher, or one of its viewers, with the SDP to send them. */
export type RoomPeer = { readonly handle: JanusHandle; readonly sdp: string };

/**
 * A browser publishes its camera by WebRTC: its offer is answered. Throws `sfu-refused` (no codec in common, a feed that somebody
 * else has), `sfu-unavailable`.
 */
export async function publishToRoom(
  session: JanusSession,
  { feed, name, offer }: { readonly feed: number; readonly name: string; readonly offer: string },
): Promise<RoomPeer> {
  const join = { request: 'joinandconfigure', ptype: 'publisher', id: feed, display: name };
  return attach(session, join, { type: 'offer', sdp: offer });
}

/** Somebody watches: Janus offers what the publisher sends. Throws `sfu-refused` when nobody publishes it, `sfu-unavailable`. */
export async function watchRoom(session: JanusSession, feed: number): Promise<RoomPeer> {
  return attach(session, { request: 'join', ptype: 'subscriber', streams: [{ feed }] });
}

async function attach(session: JanusSession, body: object, jsep?: Jsep): Promise<RoomPeer> {
  const handle = await session.attach(PLUGIN);
  try {
    const answer = await handle.ask({ ...body, room: VIDEO_ROOM }, jsep);
    return { handle, sdp: answer.jsep?.sdp ?? '' };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
