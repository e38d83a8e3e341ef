import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { signallingSchema, withExamples } from './signalling-docs.ts';

/** Writes what is generated of docs/signalling.md, and docs/signalling.schema.json. */
const docs = path.resolve(import.meta.dirname, '../../docs');
await writeFile(path.join(docs, 'signalling.schema.json'), await signallingSchema());
const page = path.join(docs, 'signalling.md');
await writeFile(page, await withExamples(await readFile(page, 'utf8')));
