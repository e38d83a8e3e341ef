import express, { type RequestHandler } from 'express';
import { inputError } from '../errors.ts';

const parse = express.json({ limit: 64 * 1024 });

/** Reads a JSON body into `request.body`; no body at all is `{}`. Throws for other content types. */
export const jsonBody: RequestHandler = (request, response, next) => {
  if (request.is('application/json') === false) {
    throw inputError(
      'Content-Type',
      'Expected a body of Content-Type: application/json',
      'unsupported-media-type',
    );
  }
  parse(request, response, (error?: unknown) => {
    request.body = (request.body as unknown) ?? {};
    next(error);
  });
};
