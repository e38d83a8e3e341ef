/** Whose fault an error is: decides HTTP status, exit code, and whether a retry makes sense. */
export type Fault = 'input' | 'dependency' | 'internal';

/**
 * The one error of Chalkreel. `code` is stable and kebab-case; `message` says what was expected, what came
 * and the unit; `details` carries data for machines (for bad input: `field`).
 */
export class ChalkreelError extends Error {
  override readonly name = 'ChalkreelError';
  readonly code: string;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: {
      fault?: Fault;
      retryable?: boolean;
      cause?: unknown;
      details?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fault = options.fault ?? 'internal';
    this.retryable = options.retryable ?? this.fault === 'dependency';
    this.details = options.details ?? {};
  }
}

/** Bad input: names the field and what was expected. */
export function inputError(field: string, message: string, code = 'invalid-input'): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'input', details: { field } });
}

/** Any thrown value as a ChalkreelError, keeping the original as its cause. */
export function asChalkreelError(error: unknown, code = 'internal-error'): ChalkreelError {
  if (error instanceof ChalkreelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ChalkreelError(code, message, { cause: error });
}
