import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasApiKey } from '../../../src/access/api-keys.ts';
import { signLink, verifyLink, type Link } from '../../../src/access/links.ts';

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
  const link: Link = { kind: 'recording', id: '01ABC', rights: ['play'], expiresAtMs: 5000 };

  it('comes back as it was, until it expires', () => {
    const token = signLink(link, ['secret-a']);
    expect(verifyLink(token, ['secret-a'], 4999)).toEqual(link);
    expect(verifyLink(token, ['secret-a'], 5000)).toBeUndefined();
  });

  it('fits into a path and a query as it is', () => {
    const token = signLink({ ...link, id: '中文 /?#%' }, ['secret-a']);
    expect(token).toMatch(/^[\w.-]+$/);
  });

  it('outlives a change of secrets by one', () => {
    const token = signLink(link, ['old']);
    expect(verifyLink(token, ['new', 'old'], 0)).toEqual(link);
    expect(verifyLink(token, ['newest', 'new'], 0)).toBeUndefined();
    expect(verifyLink(signLink(link, ['new', 'old']), ['new'], 0)).toEqual(link);
  });

  it('is refused when any character of it is changed, added or left out', () => {
    const token = signLink(link, ['secret-a']);
    const character = fc.constantFrom('A', 'B', 'x', 'z', '0', '9', '-', '_', '.', '=');
    fc.assert(
      fc.property(fc.nat(token.length - 1), character, (at, other) => {
        const forged = token.slice(0, at) + other + token.slice(at + 1);
        const result = verifyLink(forged, ['secret-a'], 0);
        return forged === token ? result !== undefined : result === undefined;
      }),
    );
    for (const forged of ['', '.', token + 'A', `${token}.`, token.slice(1), token.slice(0, -1)]) {
      expect(verifyLink(forged, ['secret-a'], 0)).toBeUndefined();
    }
  });
});
