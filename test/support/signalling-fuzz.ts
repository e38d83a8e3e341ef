import fc from 'fast-check';

/** What would do something if it became markup, or was run. */
export const MARKUP = [
  '<img src=x onerror="window.pwned=1">',
  '<script>window.pwned=1</script>',
  '</bdi></p><svg/onload=window.pwned=1>',
  '"><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
  'javascript:window.pwned=1',
  '<b>bold</b>&lt;i&gt;',
] as const;

type Json = Readonly<Record<string, unknown>>;

/** Texts as a hostile or broken peer would send them: good messages, the same with some fields changed, cut short, and anything. */
export function hostileTexts(messages: readonly object[]): fc.Arbitrary<string> {
  const good = fc.constantFrom(...(messages as Json[]));
  const nasty = fc.oneof(
    fc.constantFrom<unknown>(
      ...MARKUP,
      '__proto__',
      'constructor',
      '',
      '\u202e\u0000',
      -1,
      1e308,
      null,
      {},
      [],
    ),
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('长', '👨‍👩‍👧‍👦', 'ا').map((text) => text.repeat(2100)),
  );
  const mutated = fc
    .tuple(good, fc.array(fc.tuple(fc.nat(30), nasty), { minLength: 1, maxLength: 3 }))
    .map(([message, changes]) =>
      JSON.stringify(
        changes.reduce<unknown>((value, [at, to]) => replaceAt(value, at, to), message),
      ),
    );
  return fc.oneof(
    { weight: 2, arbitrary: good.map((message) => JSON.stringify(message)) },
    { weight: 5, arbitrary: mutated },
    {
      weight: 1,
      arbitrary: fc.tuple(good, fc.nat(80)).map(([m, n]) => JSON.stringify(m).slice(0, n)),
    },
    { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  );
}

/** A copy in which one of the fields, wherever it is, has another value: field `at` in the order in which they are found. */
function replaceAt(value: unknown, at: number, to: unknown): unknown {
  let left = at % Math.max(1, countFields(value));
  const copy = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    const entries = Object.entries(part).map(([key, inner]) => {
      const isIt = left-- === 0;
      return [key, isIt ? to : copy(inner)] as const;
    });
    return Array.isArray(part) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
  };
  return copy(value);
}

function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, inner) => sum + 1 + countFields(inner), 0);
}
