import type { Facts, FoundProgram } from './facts.ts';

/** One line of the doctor's report. A `warning` works, but worse than it could; a `fault` stops something from working. */
export type Finding = {
  readonly name: string;
  readonly verdict: 'ok' | 'warning' | 'fault';
  readonly found: string;
  /** What to do about it; always there unless all is well. */
  readonly mend?: string;
};

const MINIMUM_NODE = [20, 19] as const;
const MINIMUM_CHROMIUM = 120;
const MINIMUM_REDIS = 7;
const GIB = 1024 ** 3;
/** 3 Mb/s of picture and 128 kb/s of sound for an hour are 1.4 GB. */
const MINIMUM_FREE_BYTES = 2 * GIB;
/** A tab's shared memory; Docker's default of 64 MB crashes tabs. */
const MINIMUM_SHARED_BYTES = 0.25 * GIB;
/** No clock shows a time before this was written. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
const PROVISION = 'sudo bash docker/provision.sh runtime (Debian), or your system’s package';

/** Judges what was found; pure. */
export function judge(facts: Facts): Finding[] {
  return [
    judgeNode(facts.nodeVersion),
    judgeProgram('chromium', facts.chromium, MINIMUM_CHROMIUM),
    judgeSandbox(facts.sandbox),
    judgeFfmpeg(facts.ffmpeg),
    judgeProgram('ffprobe', facts.ffprobe, 0),
    judgeRedis(facts),
    judgeFonts('fonts: Chinese', facts.fonts?.cjk, 'fonts-noto-cjk'),
    judgeFonts('fonts: emoji', facts.fonts?.emoji, 'fonts-noto-color-emoji'),
    judgePort(facts.port),
    ...judgeDataDir(facts.dataDir),
    judgeClock(facts.clock),
    judgeSharedMemory(facts.sharedMemoryBytes),
    facts.hasPages
      ? ok('pages', 'built')
      : fault('pages', 'not built', 'npm run setup, or npm run build:pages'),
  ];
}

function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]);
  return isNew
    ? ok('node', version)
    : fault('node', version, `install Node ${MINIMUM_NODE.join('.')} or newer`);
}

function judgeProgram(name: string, found: FoundProgram | undefined, minimum: number): Finding {
  const hint = name === 'chromium' ? `${PROVISION}, or set CHALKREEL_CHROMIUM` : PROVISION;
  if (found === undefined) return fault(name, 'not found on PATH', hint);
  const text = `${found.version} (${found.path})`;
  return Number.parseInt(found.version) >= minimum
    ? ok(name, text)
    : fault(name, text, `install version ${minimum} or newer`);
}

function judgeFfmpeg(ffmpeg: Facts['ffmpeg']): Finding {
  const finding = judgeProgram('ffmpeg', ffmpeg, 5);
  const missing = ['libx264', 'aac'].filter((e) => ffmpeg?.encoders.includes(e) === false);
  if (finding.verdict !== 'ok' || missing.length === 0) return finding;
  const found = `${finding.found}, without ${missing.join(' and ')}`;
  return fault('ffmpeg', found, 'install a build of ffmpeg with libx264 and aac');
}

function judgeRedis({ redis, redisUrl }: Facts): Finding {
  if (redisUrl === undefined) return judgeProgram('redis-server', redis, MINIMUM_REDIS);
  return ok('redis-server', 'not needed: CHALKREEL_REDIS_URL is set');
}

function judgeSandbox({ isRoot, hasUserNamespaces, hasSetuidHelper }: Facts['sandbox']): Finding {
  const name = 'sandbox';
  if (isRoot) {
    const found = 'off: as root Chrome runs with --no-sandbox';
    return { name, verdict: 'warning', found, mend: 'run Chalkreel as an ordinary user' };
  }
  if (hasUserNamespaces) return ok(name, 'on, by user namespaces');
  if (hasSetuidHelper) return ok(name, 'on, by the setuid helper');
  const mend = 'install chromium-sandbox, or allow user namespaces (docker/README.md)';
  return fault(name, 'neither user namespaces nor the setuid helper', mend);
}

function judgeFonts(
  name: string,
  families: readonly string[] | undefined,
  packageName: string,
): Finding {
  const [first] = families ?? [];
  if (first !== undefined) return ok(name, `${first} (${families?.length ?? 0} in all)`);
  const found = families === undefined ? 'unknown: fc-list is missing' : 'none';
  return fault(
    name,
    found,
    `install ${packageName}${families === undefined ? ' and fontconfig' : ''}`,
  );
}

function judgePort({ host, port, fault: why }: Facts['port']): Finding {
  if (why === undefined) return ok('port', port === 0 ? 'any free one' : `${host}:${port} is free`);
  const mend = 'stop what listens there, or set CHALKREEL_PORT (0 takes a free one)';
  return fault('port', `${host}:${port}: ${why}`, mend);
}

function judgeDataDir({ path, fault: why, freeBytes }: Facts['dataDir']): Finding[] {
  if (why !== undefined) {
    return [fault('data folder', `${path}: ${why}`, 'make it writable, or set CHALKREEL_DATA_DIR')];
  }
  const free = `${(freeBytes / GIB).toFixed(1)} GiB free`;
  const disk =
    freeBytes >= MINIMUM_FREE_BYTES
      ? ok('disk', free)
      : fault('disk', free, `free at least ${MINIMUM_FREE_BYTES / GIB} GiB: an hour takes 1.4 GB`);
  return [ok('data folder', `${path} is writable`), disk];
}

function judgeClock({ unixMs, isSynchronized }: Facts['clock']): Finding {
  const found = new Date(unixMs).toISOString();
  const mend = 'set the clock and keep it with NTP (systemd-timesyncd, chrony)';
  if (unixMs < EARLIEST_MS) return fault('clock', `${found}, long past`, mend);
  if (isSynchronized === false) {
    return { name: 'clock', verdict: 'warning', found: `${found}, not synchronized`, mend };
  }
  return ok('clock', isSynchronized === true ? `${found}, synchronized` : found);
}

function judgeSharedMemory(bytes: number | undefined): Finding {
  const name = '/dev/shm';
  if (bytes === undefined) return fault(name, 'missing', 'mount a tmpfs of 1 GB there');
  const found = `${(bytes / GIB).toFixed(2)} GiB`;
  return bytes >= MINIMUM_SHARED_BYTES
    ? ok(name, found)
    : fault(name, found, 'make it 1 GB: docker run --shm-size=1g, or remount it');
}

function ok(name: string, found: string): Finding {
  return { name, verdict: 'ok', found };
}

function fault(name: string, found: string, mend: string): Finding {
  return { name, verdict: 'fault', found, mend };
}
