/** Runs a parser; what it throws as RangeError, the way parsers here refuse bad input, goes to `onRefused`. */
export function attempt<T>(parse: () => T, onRefused: (message: string) => void): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    onRefused(error.message);
    return undefined;
  }
}
