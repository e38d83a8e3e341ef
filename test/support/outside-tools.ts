import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { Resources } from '../../src/lifecycle.ts';
import { findProgram } from '../../src/programs.ts';
import { launchTestBrowser } from './browser.ts';
import { serveHls } from './hls-server.ts';
import { ffmpegVersion, runFfmpeg } from './outside/ffmpeg.ts';
import { gstreamerVersion, runGstreamer } from './outside/gstreamer.ts';
import { hlsjsVersion, PLAYER_PAGE, runHlsjs } from './outside/hlsjs.ts';
import { mediabunnyVersion, runMediabunny } from './outside/mediabunny.ts';
import { mediainfoVersion, runMediainfo } from './outside/mediainfo.ts';
import { readSubject, type Subject } from './outside/stretch.ts';
import { runTstools, tstoolsVersion } from './outside/tstools.ts';
import { runVlc, vlcVersion } from './outside/vlc.ts';
import { makeTempFolder } from './temp-folder.ts';

/** What one program that no one here wrote says against a recording; nothing is what is wanted. */
export type ToolReport = {
  readonly tool: string;
  readonly version: string;
  readonly errors: string[];
};

type Tool = {
  readonly tool: string;
  /** The programs it needs; none for a package of ours. */
  readonly programs: readonly string[];
  readonly version: () => Promise<string>;
  readonly run: (subject: Subject) => Promise<string[]>;
};

const PROGRAMS: readonly Tool[] = [
  { tool: 'ffmpeg', programs: ['ffmpeg', 'ffprobe'], version: ffmpegVersion, run: runFfmpeg },
  {
    tool: 'tstools',
    programs: ['tsinfo', 'tsreport', 'ts2es', 'esreport'],
    version: tstoolsVersion,
    run: runTstools,
  },
  { tool: 'mediainfo', programs: ['mediainfo'], version: mediainfoVersion, run: runMediainfo },
  { tool: 'GStreamer', programs: ['gst-launch-1.0'], version: gstreamerVersion, run: runGstreamer },
  { tool: 'VLC', programs: ['vlc'], version: vlcVersion, run: runVlc },
  { tool: 'mediabunny', programs: [], version: mediabunnyVersion, run: runMediabunny },
];

/**
 * Shows the final playlist of a recording in a local folder to every outside tool, one after the other; about 1 s each, and a
 * quarter of the recording's length for hls.js. `withBrowser: false` leaves hls.js in Chromium out.
 */
export async function runOutsideTools(
  playlistPath: string,
  { withBrowser = true }: { readonly withBrowser?: boolean } = {},
): Promise<ToolReport[]> {
  const resources = new Resources();
  try {
    const folder = resources.use(await makeTempFolder('outside'));
    // VLC reads it as another user.
    await chmod(folder.path, 0o755);
    const pages = { 'player.html': () => PLAYER_PAGE };
    const server = resources.use(await serveHls(path.dirname(playlistPath), pages));
    const url = `${server.url}/${path.basename(playlistPath)}`;
    const subject = await readSubject({ playlist: playlistPath, url }, folder.path);
    const reports: ToolReport[] = [];
    for (const tool of withBrowser ? [...PROGRAMS, await openHlsjs(resources)] : PROGRAMS) {
      reports.push(isMissing(tool) ? missing(tool) : await report(tool, subject));
    }
    return reports;
  } finally {
    await resources.close();
  }
}

/** The tools that cannot be run here: on Debian `docker/provision.sh test` installs them. */
export function missingTools(): string[] {
  return PROGRAMS.filter(isMissing).map(({ tool }) => tool);
}

function isMissing({ programs }: Tool): boolean {
  return programs.some((program) => findProgram(program) === undefined);
}

function missing({ tool }: Tool): ToolReport {
  return { tool, version: 'none', errors: ['is not installed: see docker/provision.sh'] };
}

async function report({ tool, version, run }: Tool, subject: Subject): Promise<ToolReport> {
  return { tool, version: await version(), errors: await run(subject) };
}

async function openHlsjs(resources: Resources): Promise<Tool> {
  const browser = await launchTestBrowser();
  resources.defer(() => browser.close());
  return {
    tool: 'hls.js',
    programs: [],
    version: () => hlsjsVersion(browser),
    run: (subject) => runHlsjs(subject, browser),
  };
}
