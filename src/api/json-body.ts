import express, { type RequestHandler } from 'express';
import { inputError } from '../errors.ts';

const MAX_BODY_BYTES = 64 * 1024;

const expectJson: RequestHandler = (request, _response, next) => {
  // Routes may allow that there is no body at all.
  const isEmpty = request.get('Content-Length') === '0' || request.is('*/*') === null;
  if (!isEmpty && request.is('application/json') === false) {
    throw inputError(
      'Content-Type',
      'Expected a body of Content-Type: application/json',
      'unsupported-media-type',
    );
  }
  next();
};

/** Reads a JSON body into `request.body`, undefined when there is none. Throws for other content types. */
export const jsonBody: readonly RequestHandler[] = [
  expectJson,
  express.json({ limit: MAX_BODY_BYTES }),
];
