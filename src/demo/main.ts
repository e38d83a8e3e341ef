import { parseArgs } from 'node:util';
import { asChalkreelError, inputError } from '../errors.ts';
import { readLines } from '../lines.ts';
import { createLog } from '../log.ts';
import { startDemoClassroom, type CameraSources, type DemoClassroom } from './classroom.ts';
import { hasJanus } from './sfu/janus.ts';

/**
 * The demo classroom as a process. Prints one JSON line, `{ classroom, port, cameraPids }`, when it runs. Takes JSON
 * lines on stdin: `{ "do": "highlight", … }`, `{ "do": "kill-camera" | "restart-camera", "camera": 0 }`,
 * `{ "do": "end-class" }`; it closes on SIGINT, SIGTERM or when stdin ends.
 */
const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: 'data/demo' },
    'log-level': { type: 'string', default: 'info' },
    port: { type: 'string', default: '0' },
    seconds: { type: 'string' },
    'restart-cameras': { type: 'boolean', default: false },
    /** whep, hls, or auto: whep where Janus is installed. */
    sources: { type: 'string', default: 'auto' },
  },
});
const log = createLog('demo', values['log-level']);

try {
  await run();
} catch (error) {
  const { code, fault, message } = asChalkreelError(error);
  log.fatal({ code }, message);
  process.exitCode = fault === 'input' ? 2 : 1;
}

async function run(): Promise<void> {
  const seconds =
    values.seconds === undefined ? {} : { seconds: number('seconds', values.seconds) };
  const demo = await startDemoClassroom({
    dataDir: values['data-dir'],
    log,
    port: number('port', values.port),
    restartCameras: values['restart-cameras'],
    sources: chooseSources(values.sources),
    ...seconds,
  });
  const { classroom, port } = demo;
  process.stdout.write(`${JSON.stringify({ classroom, port, cameraPids: demo.cameraPids() })}\n`);
  await untilTold(demo);
  await demo.close();
}

function chooseSources(asked: string): CameraSources {
  if (asked === 'whep' || asked === 'hls') return asked;
  if (asked === 'auto') return hasJanus() ? 'whep' : 'hls';
  throw inputError('sources', `--sources: expected whep, hls or auto, not "${asked}".`);
}

function number(field: string, text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0) return value;
  throw inputError(field, `--${field}: expected a number from 0, not "${text}".`);
}

/** Carries out commands until the process is to end. */
async function untilTold(demo: DemoClassroom): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
    const lines = readLines((line) => {
      obey(demo, line);
    });
    process.stdin.on('data', lines.take);
    process.stdin.on('end', () => {
      resolve();
    });
  });
  process.stdin.destroy();
}

type Command = { do?: unknown; camera?: unknown; triggerId?: string; title?: string };

function obey(demo: DemoClassroom, line: string): void {
  carryOut(demo, line).catch((error: unknown) => {
    log.warn({ line }, `command refused: ${asChalkreelError(error).message}`);
  });
}

async function carryOut(demo: DemoClassroom, line: string): Promise<void> {
  const { do: what, camera, ...rest } = JSON.parse(line) as Command;
  if (what === 'highlight') await demo.triggerHighlight(rest);
  else if (what === 'end-class') demo.endClass();
  else if (what === 'kill-camera') await demo.killCamera(Number(camera));
  else if (what === 'restart-camera') await demo.restartCamera(Number(camera));
  else throw inputError('do', 'expected highlight, end-class, kill-camera or restart-camera.');
}
