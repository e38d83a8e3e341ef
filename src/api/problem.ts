import type { ErrorRequestHandler } from 'express';
import { ZodError } from 'zod';
import { ChalkreelError, inputError } from '../errors.ts';
import type { Log } from '../log.ts';
import { isRedisUnavailable } from '../queue/connection.ts';

/** An error as clients see it (RFC 9457). `code` and `field` are ours. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly field?: string;
};

/** Codes that have a status of their own; others go by fault. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  unauthorized: 401,
  'link-invalid': 403,
  'link-foreign': 403,
  'right-missing': 403,
  'key-needed': 403,
  'viewer-missing': 403,
  'recording-not-found': 404,
  'highlight-not-found': 404,
  'object-not-found': 404,
  'segment-not-found': 404,
  'share-not-found': 404,
  'clip-not-ready': 404,
  'clip-failed': 404,
  'poster-missing': 404,
  'route-not-found': 404,
  'method-not-allowed': 405,
  'recording-not-final': 409,
  'recording-final': 409,
  'no-classroom': 409,
  'highlights-pending': 409,
  'nothing-recorded': 409,
  'reencode-running': 409,
  'link-expired': 410,
  'link-revoked': 410,
  'playlist-gone': 410,
  'body-too-large': 413,
  'unsupported-media-type': 415,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Body too large',
  415: 'Unsupported media type',
  500: 'Internal error',
  503: 'Unavailable',
};

/** Translates a thrown value for HTTP. What went wrong inside is logged, not told. */
export function toProblem(thrown: unknown): Problem & { readonly retryAfterS?: number } {
  const error = translate(thrown);
  const status = statusOf(error);
  const { field, retryAfterS } = error.details;
  return {
    type: `urn:chalkreel:problem:${error.code}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail: status === 500 ? 'Something went wrong inside Chalkreel.' : error.message,
    code: error.code,
    ...(typeof field === 'string' ? { field } : {}),
    ...(typeof retryAfterS === 'number' ? { retryAfterS } : {}),
  };
}

/** Something that will be there soon: 503, or 404 where the code says so, with Retry-After. */
export function notYet(code: string, message: string, retryAfterS: number): ChalkreelError {
  return new ChalkreelError(code, message, { fault: 'dependency', details: { retryAfterS } });
}

/** Express's last handler: answers problem+json and logs what is our fault. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const { retryAfterS, ...problem } = toProblem(thrown);
    if (problem.status === 500)
      log.error({ err: thrown, method: request.method }, 'request failed');
    if (response.headersSent) {
      next(thrown);
      return;
    }
    if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
    if (retryAfterS !== undefined) response.set('Retry-After', String(retryAfterS));
    response.set('Cache-Control', 'no-store').removeHeader('ETag');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
}

function translate(thrown: unknown): ChalkreelError {
  if (isRedisUnavailable(thrown)) {
    const details = { retryAfterS: 2 };
    const message = 'Redis cannot be reached.';
    return new ChalkreelError('redis-unavailable', message, { fault: 'dependency', details });
  }
  if (thrown instanceof ChalkreelError) return thrown;
  if (thrown instanceof ZodError) return fromZod(thrown);
  return (
    fromExpress(thrown) ?? new ChalkreelError('internal-error', String(thrown), { cause: thrown })
  );
}

function fromZod(error: ZodError): ChalkreelError {
  const [issue] = error.issues;
  const extra = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...extra].map(String).join('.') || 'body';
  return inputError(field, `${field}: ${issue?.message ?? 'invalid'}`);
}

/** What Express and its body parser throw carries `type` or `status`. */
function fromExpress(thrown: unknown): ChalkreelError | undefined {
  const { type, status } = (thrown ?? {}) as { type?: unknown; status?: unknown };
  if (type === 'entity.parse.failed') {
    return inputError('body', 'Expected a body of well-formed JSON', 'malformed-json');
  }
  if (type === 'entity.too.large') {
    return inputError('body', 'Expected a body of at most 64 KiB', 'body-too-large');
  }
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return inputError('body', 'Expected JSON in UTF-8', 'unsupported-media-type');
  }
  if (status === 400) return inputError('url', 'Expected a well-formed request');
  return undefined;
}

function statusOf(error: ChalkreelError): number {
  const status = STATUS_BY_CODE[error.code];
  if (status !== undefined) return status;
  if (error.fault === 'input') return 400;
  return error.fault === 'dependency' ? 503 : 500;
}
