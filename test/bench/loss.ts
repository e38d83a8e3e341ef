import path from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { decodePcm } from '../support/pcm.ts';
import { runProgram } from '../support/programs.ts';
import {
  listOwnStands,
  listStands,
  readClocks,
  readPictures,
  tileBox,
} from '../support/sources/read-tiles.ts';
import type { RecordedRoom } from '../support/sources/record-room.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import type { Measurement } from './measure.ts';
import type { Scenario } from './runner.ts';

/** Of what Janus sends to the page, in a network namespace of the bench's own. */
const LOSS = '0.02';
/** Where Janus's ICE ports are. */
const JANUS_PORTS = '20000:29999';
/** Chrome, jitter buffers and the capture are settling. */
const STARTING_MS = 1500;
/**
 * A page looks each 100 ms whether a picture has come, and counts a freeze when none has for 500 ms by its looks: surely from 700 ms on,
 * never below 500. Of a freeze the recording shows 100 ms less (a slot of its own) to 200 ms more (a slot, and a step of the clock).
 */
const SURELY_FROZEN_MS = 900;
const MAYBE_FROZEN_MS = 400;
/**
 * The steepest that four voices of −20 dB and up to 1000 Hz go is 0.037 from one sample to the next; where concealed sound ends, a
 * voice may begin anew at its amplitude of 0.1. A click is a jump through the whole mix, 0.2 to 0.8.
 */
const MAX_STEP = 0.15;

/**
 * A class of four over a line with 2 % loss (iptables), 10 ms of delay and 30 ms of jitter (a relay), in which one publisher stops for
 * a second: whether the report counts what the recording shows, and whether the sound clicks. Needs root.
 */
export const lossBench: Scenario = {
  about: '2 % loss and 30 ms jitter: freezes reported and seen, clicks; --seconds 60; as root',
  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string' } } });
    const resources = new Resources();
    try {
      const { path: folder } = resources.use(await makeTempFolder('loss'));
      const made = await recordLossy(folder, values.seconds ?? '60');
      return [...describeReport(made), ...(await compareFreezes(made)), await findSteps(made)];
    } finally {
      await resources.close();
    }
  },
};

async function recordLossy(folder: string, seconds: string): Promise<RecordedRoom> {
  const drop = `iptables -A INPUT -i lo -p udp --sport ${JANUS_PORTS} -m statistic --mode random --probability ${LOSS} -j DROP`;
  const program = path.resolve('test/support/sources/run-lossy-class.ts');
  const run = `exec node --import tsx ${program} ${folder}/out ${Number(seconds)}`;
  const { stdout } = await runProgram('unshare', [
    ...['--net', 'bash', '-c', `ip link set lo up && ${drop} && ${run}`],
  ]);
  return JSON.parse(stdout.toString()) as RecordedRoom;
}

function describeReport({ report }: RecordedRoom): Measurement[] {
  const of = (key: 'packetsLost' | 'concealedMs' | 'reconnects'): number[] =>
    report.sources.map((source) => source[key]);
  const none = { is: '==', value: 0 } as const;
  return [
    { name: 'missing-segments', unit: '', samples: [report.missingSegments], bound: none },
    { name: 'packets-lost', unit: '', samples: of('packetsLost') },
    { name: 'sound-concealed', unit: 'ms', samples: of('concealedMs') },
    { name: 'reconnects', unit: '', samples: of('reconnects'), bound: none },
  ];
}

/**
 * How far what is reported of each stream is from what its clock shows in the recording: 0 within what can be told. A stand of more
 * than 1.5 s is no freeze but a loss, and reported as such.
 */
async function compareFreezes({ report, startMs, playlist }: RecordedRoom): Promise<Measurement[]> {
  const pictures = await readPictures(playlist, startMs);
  const fromMs = report.firstFrameMs + STARTING_MS;
  const toMs = pictures.at(-1)?.atMs ?? NaN;
  const count = report.sources.length;
  const clocks = report.sources.map((_, i) => readClocks(pictures, tileBox(i, count)));
  if (clocks.some((each) => each.length === 0)) {
    throw new Error('a stream never came: a machine that starves, the round is void');
  }
  const stands = clocks.map((each) =>
    listStands(each, Math.max(fromMs, each[0]?.atMs ?? fromMs), toMs),
  );
  // where all stand at once it may be the page that stood, and counts it, or the capture, of which the page knows nothing
  const own = listOwnStands(stands);
  const errors = report.sources.map(({ freezes, reconnects }, i) => {
    const surely = (own[i] ?? []).filter((ms) => ms > SURELY_FROZEN_MS).length;
    const maybe = (stands[i] ?? []).filter((one) => one.toMs - one.fromMs > MAYBE_FROZEN_MS).length;
    const counted = freezes + reconnects;
    return counted < surely ? counted - surely : Math.max(0, counted - maybe);
  });
  return [
    { name: 'freezes', unit: '', samples: report.sources.map(({ freezes }) => freezes) },
    { name: 'longest-stand', unit: 'ms', samples: own.map((each) => Math.max(...each)) },
    // their sum, since a median would hide one of four
    {
      name: 'freeze-count-error',
      unit: '',
      samples: [errors.reduce((sum, error) => sum + Math.abs(error), 0)],
      bound: { is: '==', value: 0 },
    },
  ];
}

async function findSteps({ playlist, report }: RecordedRoom): Promise<Measurement> {
  const { samples, sampleRate } = await decodePcm(playlist);
  const from = Math.round(((report.leadInMs + STARTING_MS) / 1000) * sampleRate);
  let steepest = 0;
  for (let i = from; i < samples.length; i++) {
    steepest = Math.max(steepest, Math.abs((samples[i] ?? 0) - (samples[i - 1] ?? 0)));
  }
  const bound = { is: '<=', value: MAX_STEP } as const;
  return { name: 'steepest-step', unit: 'of full scale', samples: [steepest], bound };
}
