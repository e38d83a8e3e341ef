import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasApiKey } from '../../../src/access/api-keys.ts';
import { LinkGate } from '../../../src/access/link-gate.ts';
import { LINK_RIGHTS, readLink, signLink, type Link } from '../../../src/access/links.ts';

describe('an API key', () => {
  const keys = ['first-key-01234567', 'second-key-0123456'];

  it('is taken as a bearer token, whichever of the keys it is', () => {
    for (const key of keys) expect(hasApiKey(`Bearer ${key}`, keys)).toBe(true);
    expect(hasApiKey(`bearer ${String(keys[0])}`, keys)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer first-key-0123456',
    'Bearer first-key-012345678',
    'Basic first-key-01234567',
    'first-key-01234567',
    'Bearer first-key-01234567 second-key-0123456',
  ])('is not seen in %j', (header) => {
    expect(hasApiKey(header, keys)).toBe(false);
    expect(hasApiKey(header, [])).toBe(false);
  });
});

describe('a signed link', () => {
  const link: Link = {
    kind: 'recording',
    id: '01ABC',
    rights: ['play'],
    viewerId: null,
    shareId: null,
    expiresAtMs: 5000,
  };

  it('is good each time it is brought until it expires, and another like it is not', async () => {
    let nowMs = 4998;
    const gate = new LinkGate({
      secrets: ['secret-a'],
      clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
      shares: { isLive: (shareId) => Promise.resolve(shareId === 'live') },
    });
    const token = signLink({ ...link, shareId: 'live' }, ['secret-a']);
    const forged = signLink({ ...link, rights: ['download'] }, ['secret-b']);
    for (nowMs = 4998; nowMs < 5000; nowMs++) {
      expect(await gate.open(token)).toEqual({ ...link, shareId: 'live' });
      await expect(gate.open(forged)).rejects.toMatchObject({ code: 'link-invalid' });
    }
    const withdrawn = signLink({ ...link, shareId: 'gone', expiresAtMs: 6000 }, ['secret-a']);
    for (let i = 0; i < 2; i++) {
      await expect(gate.open(token)).rejects.toMatchObject({ code: 'link-expired' });
      await expect(gate.open(withdrawn)).rejects.toMatchObject({ code: 'link-revoked' });
    }
  });

  it('comes back as it was, until it expires', () => {
    const viewer = fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }));
    const someLink = fc.record({
      kind: fc.constantFrom('recording', 'highlight'),
      id: fc.string({ unit: 'grapheme', maxLength: 40 }),
      rights: fc.subarray([...LINK_RIGHTS]),
      viewerId: viewer,
      shareId: viewer,
      expiresAtMs: fc.nat(),
    });
    fc.assert(
      fc.property(someLink, (any: Link) => {
        const token = signLink(any, ['secret-a']);
        expect(token).toMatch(/^[\w.-]+$/);
        const { expiresAtMs } = any;
        const before = readLink(token, ['secret-a'], expiresAtMs - 1);
        expect(before).toEqual({ state: 'good', link: any });
        expect(readLink(token, ['secret-a'], expiresAtMs)).toEqual({ state: 'expired', link: any });
      }),
    );
  });

  it('is short: a token is part of every URL of a playlist', () => {
    const full: Link = {
      ...link,
      id: '01K8ZQ6C7D8E9F0G1H2J3K4M5N',
      expiresAtMs: Date.parse('2026-11-21'),
    };
    expect(signLink(full, ['secret-a']).length).toBeLessThan(130);
  });

  it('outlives a change of secrets by one', () => {
    const token = signLink(link, ['old']);
    expect(readLink(token, ['new', 'old'], 0)).toEqual({ state: 'good', link });
    expect(readLink(token, ['newest', 'new'], 0)).toEqual({ state: 'wrong' });
    expect(readLink(signLink(link, ['new', 'old']), ['new'], 0)).toEqual({ state: 'good', link });
  });

  it('signs what it is for, its rights, its viewer, its record and its expiry', () => {
    const changes: Partial<Link>[] = [
      { kind: 'highlight' },
      { id: '01ABD' },
      { rights: ['play', 'download'] },
      { viewerId: 'parent-7' },
      { shareId: 'share-7' },
      { expiresAtMs: 5001 },
    ];
    const signatureOf = (change: Partial<Link>): string | undefined =>
      signLink({ ...link, ...change }, ['secret-a']).split('.')[1];
    expect(new Set([{}, ...changes].map(signatureOf)).size).toBe(changes.length + 1);
  });

  it('is refused when any character of it is changed, added or left out', () => {
    const token = signLink(link, ['secret-a']);
    const character = fc.constantFrom('A', 'B', 'x', 'z', '0', '9', '-', '_', '.', '=');
    fc.assert(
      fc.property(fc.nat(token.length - 1), character, (at, other) => {
        const forged = token.slice(0, at) + other + token.slice(at + 1);
        return (readLink(forged, ['secret-a'], 0).state === 'wrong') === (forged !== token);
      }),
    );
    for (const forged of ['', '.', token + 'A', `${token}.`, token.slice(1), token.slice(0, -1)]) {
      expect(readLink(forged, ['secret-a'], 0).state).toBe('wrong');
    }
  });

  it('is refused when we signed something else with the same secret', () => {
    const payloads = ['{"k":"recording","i":"01ABC","r":["play"],"e":5000}', 'not JSON', '[]', '7'];
    for (const text of payloads) {
      const payload = Buffer.from(text).toString('base64url');
      const signature = createHmac('sha256', 'secret-a').update(payload).digest('base64url');
      expect(readLink(`${payload}.${signature}`, ['secret-a'], 0)).toEqual({ state: 'wrong' });
    }
  });
});
