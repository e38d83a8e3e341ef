import path from 'node:path';
import { parseArgs } from 'node:util';
import { Resources } from '../../src/lifecycle.ts';
import { decodePcm } from '../support/pcm.ts';
import { runProgram } from '../support/programs.ts';
import { listStands, readClocks, readPictures, tileBox } from '../support/sources/read-tiles.ts';
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
/** A page counts a freeze from 500 ms; ten pictures a second and clocks of 100 ms steps see one of 300 to 700 ms there. */
const SURELY_FROZEN_MS = 700;
const MAYBE_FROZEN_MS = 300;
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

/** How far each stream's reported freezes are from what its clock shows in the recording: 0 within what can be told. */
async function compareFreezes({ report, startMs, playlist }: RecordedRoom): Promise<Measurement[]> {
  const pictures = await readPictures(playlist, startMs);
  const fromMs = report.firstFrameMs + STARTING_MS;
  const toMs = pictures.at(-1)?.atMs ?? NaN;
  const count = report.sources.length;
  const errors = report.sources.map(({ freezes }, i) => {
    const stands = listStands(readClocks(pictures, tileBox(i, count)), fromMs, toMs);
    const surely = stands.filter((ms) => ms > SURELY_FROZEN_MS).length;
    const maybe = stands.filter((ms) => ms > MAYBE_FROZEN_MS).length;
    return freezes < surely ? freezes - surely : Math.max(0, freezes - maybe);
  });
  return [
    { name: 'freezes', unit: '', samples: report.sources.map(({ freezes }) => freezes) },
    { name: 'freeze-count-error', unit: '', samples: errors, bound: { is: '==', value: 0 } },
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
