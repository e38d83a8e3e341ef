import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { planChunks } from '../../../src/batch/chunk/chunk-plan.ts';
import { readChunk } from '../../../src/batch/chunk/chunk-objects.ts';
import { encodeChunk } from '../../../src/batch/chunk/encode-chunk.ts';
import type { JoinedReencode } from '../../../src/batch/join/join.ts';
import { swapReencode, type SwapOptions } from '../../../src/batch/proof/swap.ts';
import { ChalkreelError } from '../../../src/errors.ts';
import { SEGMENT_TICKS, segmentPts90k } from '../../../src/model/grid.ts';
import type { Recording } from '../../../src/model/recording.ts';
import type { ChunkResult, ReencodeManifest, ReencodeProof } from '../../../src/model/reencode.ts';
import { objectKeys } from '../../../src/storage/keys.ts';
import { findManifest, isCurrent, listManifests } from '../../../src/storage/reencodes.ts';
import { verifyTarget } from '../../../src/verify/verify.ts';
import { makeBatchSource, type BatchSource } from '../../support/batch-source.ts';
import { collect } from '../../support/collect.ts';
import { probeMedia, probePackets } from '../../support/probe.ts';
import {
  encodeAll,
  fileOf,
  join,
  prove,
  testProfile,
  type Reencoding,
} from '../../support/reencode.ts';
import { SLOT_PATTERNS } from '../../support/synthetic-recording.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** Beside much else each start of an encoder may take seconds. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Uneven times, a hole of one segment; two chunks, of 3 and 2 segments. */
const SEGMENTS = 6;
const HOLE = 3;
const SLOTS = SLOT_PATTERNS.uneven;
const TICKS_PER_SLOT = 3000;
/** What comes out at 180 lines of a source of 640×360. */
const SIZE = { width: 320, height: 180 };

const CODECS = [
  { codec: 'avc', name: 'h264', outputs: ['mp4', 'hls-cmaf', 'hls-ts'] },
  { codec: 'hevc', name: 'hevc', outputs: ['mp4', 'hls-cmaf'] },
  { codec: 'av1', name: 'av1', outputs: ['mp4', 'hls-cmaf'] },
] as const;

/** Times of all pictures, ticks from the first segment's start. */
const TIMES = Array.from({ length: SEGMENTS }, (_, n) => n)
  .filter((n) => n !== HOLE)
  .flatMap((n) => SLOTS.map((slot) => n * SEGMENT_TICKS + slot * TICKS_PER_SLOT));

/** GOPs of two segments, begun anew behind the hole. */
const KEYS = [0, 2, HOLE + 1].map((n) => n * SEGMENT_TICKS);

let temp: Awaited<ReturnType<typeof makeTempFolder>>;
let source: BatchSource;
/** One chunk. */
let afterHole: BatchSource['entries'];

beforeAll(async () => {
  temp = await makeTempFolder('reencode');
  source = await makeBatchSource(path.join(temp.path, 'source'), {
    segments: SEGMENTS,
    slots: SLOTS,
    holes: [HOLE],
  });
  afterHole = source.entries.filter(({ n }) => n > HOLE);
});
afterAll(() => temp.close());

function reencoding(profile: Reencoding['profile'], folder = profile.name): Reencoding {
  return { ...source, profile, folder: path.join(temp.path, folder) };
}

async function reencode(
  work: Reencoding,
): Promise<{ joined: JoinedReencode; proof: ReencodeProof }> {
  const joined = await join(await encodeAll(work), work);
  return { joined, proof: await prove(joined, work) };
}

async function configOf(result: ChunkResult | undefined, { store }: BatchSource): Promise<string> {
  return (await readChunk(store, result?.tables ?? '')).config;
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

/** Presentation times of the pictures in a file (of key pictures: `K`), rising, in its own ticks. */
async function pictureTimes(file: string, flag = ''): Promise<number[]> {
  const packets = await probePackets(file);
  const pictures = packets.filter((p) => p.codec_type === 'video' && p.flags.startsWith(flag));
  return pictures.map(({ pts }) => pts).sort((a, b) => a - b);
}

describe('a re-encode', () => {
  it.each(CODECS)('into $codec is the same lesson, picture by picture', async (wanted) => {
    const { codec, name, outputs } = wanted;
    // B pictures, which ultrafast has not.
    const video = codec === 'avc' ? { preset: 'veryfast' } : {};
    const { joined, proof } = await reencode(reencoding(testProfile({ codec, outputs, video })));
    expect(proof).toMatchObject({ pictures: TIMES.length, sound: 'copied' });
    const mp4 = fileOf(joined, 'mp4/recording.mp4');
    const { streams, format } = await probeMedia(mp4);
    expect(streams[0]).toMatchObject({ codec_name: name, ...SIZE, color_space: 'bt709' });
    expect(streams[1]).toMatchObject({ codec_name: 'aac', sample_rate: '48000', channels: 2 });
    expect(format.duration).toBe('9.600000');
    expect(await pictureTimes(mp4)).toEqual(TIMES);
    expect(await pictureTimes(mp4, 'K')).toEqual(KEYS);
    // A player's way in, with its holes and byte ranges.
    for (const kind of outputs.slice(1)) {
      const index = fileOf(joined, `${kind}/index.m3u8`);
      const packets = (await probePackets(index)).filter((packet) => packet.codec_type === 'video');
      expect(packets).toHaveLength(TIMES.length);
    }
  });

  it('has the PTS of the recording in MPEG-TS, and a GAP for each hole', async () => {
    const work = reencoding(testProfile({ name: 'avc', outputs: ['hls-ts'] }), 'ts');
    const joined = await join(await encodeAll(work), work);
    const times = await pictureTimes(fileOf(joined, 'hls-ts/media.ts'));
    expect(times).toEqual(TIMES.map((ticks) => segmentPts90k(0) + ticks));
    const playlist = await readFile(fileOf(joined, 'hls-ts/index.m3u8'), 'utf8');
    expect(playlist.match(/#EXT-X-GAP/g)).toHaveLength(1);
    expect(playlist.match(/#EXTINF:[\d.]+/g)).toEqual([
      '#EXTINF:4.8',
      '#EXTINF:1.6',
      '#EXTINF:3.2',
    ]);
  });

  it('of AVC without B pictures holds every rule of the independent checker', async () => {
    const video = { encoderArgs: { bframes: '0' } };
    const work = reencoding(testProfile({ name: 'plain', video }));
    const joined = await join(await encodeAll(work), work);
    const report = await verifyTarget(fileOf(joined, 'mp4/recording.mp4'), {
      decode: true,
      fps: 30,
    });
    expect(report.violations).toEqual([]);
  });

  it('is the same byte for byte, whatever order chunks are made and joined in, and finds made ones', async () => {
    const outputs = ['mp4', 'hls-cmaf', 'hls-ts'];
    const work = reencoding(testProfile({ name: 'order', outputs }));
    const first = await join(await encodeAll(work), work);
    const again = await encodeAll(work, { isReversed: true });
    expect(again.map(({ wasThere }) => wasThere)).toEqual([true, true]);
    for (const { media, tables } of again) {
      await work.store.delete(tables);
      await work.store.delete(media);
    }
    const anew = await encodeAll(work, { isReversed: true });
    expect(anew.map(({ wasThere, index }) => ({ wasThere, index }))).toEqual([
      { wasThere: false, index: 1 },
      { wasThere: false, index: 0 },
    ]);
    const second = await join(anew, { ...work, folder: `${work.folder}-2` });
    expect(second.build).toBe(first.build);
    const hashes = ({ outputs: all }: JoinedReencode): string[] =>
      all.flatMap(({ files }) => files.map(({ name, sha256 }) => `${name} ${sha256}`));
    expect(hashes(second)).toEqual(hashes(first));
    const [mp4] = first.outputs;
    expect(await hashOf(mp4?.files[0]?.file ?? '')).toBe(mp4?.files[0]?.sha256);
  });

  it('of sound alone copies it, or encodes it once to the same length', async () => {
    const copied = await reencode(reencoding(testProfile({ name: 'sound', video: null })));
    expect(copied.proof).toMatchObject({ pictures: 0, sound: 'copied', quality: null });
    const audio = { mode: 'encode', bitrate: 48_000 } as const;
    const outputs = ['mp4', 'hls-cmaf'];
    const work = reencoding(testProfile({ name: 'sound-48', video: null, audio, outputs }));
    const encoded = await reencode(work);
    expect(encoded.proof).toMatchObject({
      sound: 'counted',
      soundFrames: copied.proof.soundFrames,
    });
    const { streams, format } = await probeMedia(fileOf(encoded.joined, 'mp4/recording.mp4'));
    expect(streams.map(({ codec_name }) => codec_name)).toEqual(['aac']);
    expect(format.duration).toBe('9.600000');
  });

  it('has equal parameter sets however pictures come: a lesson may stand still for minutes', async () => {
    const still = await makeBatchSource(path.join(temp.path, 'still'), {
      segments: 1,
      slots: SLOT_PATTERNS.sparse,
    });
    for (const { codec } of CODECS) {
      const work = reencoding(testProfile({ codec }), 'alike');
      const [lively] = await encodeAll({ ...work, entries: afterHole });
      const [resting] = await encodeAll({ ...work, ...still });
      expect(await configOf(resting, still)).toEqual(await configOf(lively, source));
    }
  });
});

describe('joining', () => {
  it('refuses a chunk that is missing, of other settings, or not what its encoder made', async () => {
    const work = reencoding(testProfile({ name: 'refuse' }));
    const results = await encodeAll(work);
    await expect(join(results.slice(0, 1), work)).rejects.toMatchObject({
      code: 'join-incomplete',
      details: { segment: HOLE + 1 },
    });
    const larger = testProfile({ name: 'larger', video: { height: 240 } });
    const others = await encodeAll({ ...work, profile: larger, entries: afterHole });
    await expect(join([...results.slice(0, 1), ...others], work)).rejects.toThrow(
      /is avc1 426×240.*expected what chunk .* is: avc1 320×180/s,
    );
    const media = results[0]?.media ?? '';
    const bytes = await work.store.read(media);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    await work.store.put(media, bytes);
    await expect(join(results, work)).rejects.toMatchObject({ code: 'chunk-damaged' });
  });
});

describe('the proof', () => {
  let work: Reencoding;
  let joined: JoinedReencode;
  let whole: Buffer;

  beforeAll(async () => {
    work = reencoding(testProfile({ name: 'proof' }));
    joined = await join(await encodeAll(work), work);
    whole = await readFile(fileOf(joined, 'mp4/recording.mp4'));
  });

  /** Proves the output with some bytes changed. */
  async function proveChanged(change: (file: Buffer) => Buffer): Promise<unknown> {
    await writeFile(fileOf(joined, 'mp4/recording.mp4'), change(Buffer.from(whole)));
    return prove(joined, work);
  }
  const flip =
    (at: number) =>
    (file: Buffer): Buffer => {
      file.writeUInt8(file.readUInt8(at) ^ 1, at);
      return file;
    };

  it('fails where a bit of the pictures is another', async () => {
    const at = whole.indexOf('mdat') + 2000;
    await expect(proveChanged(flip(at))).rejects.toThrow(/coded pictures from segment 0/);
  });

  it('fails where a bit of the sound is another', async () => {
    await expect(proveChanged(flip(whole.length - 20))).rejects.toThrow(
      /SHA-256 of all AAC frames/,
    );
  });

  it('fails where a picture is a slot late', async () => {
    // The first run of `stts` behind its count: two pictures a slot apart, then longer.
    const stts = whole.indexOf('stts') + 12;
    const later = (file: Buffer): Buffer => {
      file.writeUInt32BE(file.readUInt32BE(stts + 4) + TICKS_PER_SLOT, stts + 4);
      return file;
    };
    await expect(proveChanged(later)).rejects.toThrow(/picture 1 is at 6000 ticks, expected 3000/);
  });

  it('fails where a picture is missing', async () => {
    const folder = path.join(temp.path, 'dropped');
    await mkdir(folder);
    const [input, output] = [path.join(folder, 'in.mp4'), path.join(folder, 'out.mp4')];
    await writeFile(input, whole);
    const drop = ['-c', 'copy', '-bsf:v', 'noise=drop=eq(n\\,7)', '-y', output];
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-copyts', '-i', input, ...drop]);
    await copyFile(output, fileOf(joined, 'mp4/recording.mp4'));
    await expect(prove(joined, work)).rejects.toMatchObject({ code: 'reencode-unproved' });
  });

  it('fails where quality is below what is asked for', async () => {
    await writeFile(fileOf(joined, 'mp4/recording.mp4'), whole);
    const video = { quality: { ssimDb: 30, worstFrameDb: 25 } };
    const profile = testProfile({ name: 'proof', video });
    await expect(prove(joined, { ...work, profile })).rejects.toMatchObject({
      code: 'quality-below-target',
      message: expect.stringMatching(/SSIM-Y .* target 30\.00 dB; the worst picture/) as string,
    });
  });
});

describe('a chunk', () => {
  it('that fails is reported with a command line that shows it, and keeps its input for that', async () => {
    const folder = path.join(temp.path, 'fails');
    await mkdir(folder);
    // Fails at chunks alone, as a bad setting would.
    const ffmpeg = path.join(folder, 'my ffmpeg');
    const script = `#!/bin/sh\ncase "$*" in *force_key_frames*) echo no such preset >&2; exit 3;; esac\nexec ffmpeg "$@"\n`;
    await writeFile(ffmpeg, script);
    await chmod(ffmpeg, 0o755);
    const profile = { ...testProfile({ name: 'fails' }), ffmpeg };
    const [chunk] = planChunks(source.entries, profile);
    if (chunk === undefined) throw new Error('Expected a chunk');
    const options = { ...source, profile, folder, settings: { crf: 24 } };
    const error: unknown = await encodeChunk(chunk, options).catch((thrown: unknown) => thrown);
    if (!(error instanceof ChalkreelError)) throw error;
    expect(error.message).toMatch(/segments 0 to 2\) failed: .*no such preset/s);
    const command = String(error.details.command);
    const pasted = promisify(execFile)('sh', ['-c', command]);
    await expect(pasted).rejects.toMatchObject({ code: 3, stderr: 'no such preset\n' });
    // The same with an ffmpeg that works.
    await promisify(execFile)('sh', ['-c', command.replace(`'${ffmpeg}'`, 'ffmpeg')]);
    const output = command.slice(command.lastIndexOf('> ') + 2);
    expect((await probeMedia(output)).streams[0]).toMatchObject({ codec_name: 'h264', ...SIZE });
  });

  it('that is called off leaves nothing', async () => {
    const folder = path.join(temp.path, 'off');
    await mkdir(folder);
    const profile = testProfile({ name: 'off', video: { preset: 'veryslow' } });
    const [chunk] = planChunks(source.entries, profile);
    if (chunk === undefined) throw new Error('Expected a chunk');
    const abort = new AbortController();
    const onProgress = (): void => {
      abort.abort(new Error('not wanted'));
    };
    const { signal } = abort;
    const options = { ...source, profile, folder, settings: { crf: 10 }, signal, onProgress };
    await expect(encodeChunk(chunk, options)).rejects.toThrow('not wanted');
    expect(await readdir(folder)).toEqual([]);
    expect(
      await collect(source.store.list(objectKeys.archiveChunks('recording-1', 'off'))),
    ).toEqual([]);
  });
});

describe('the swap', () => {
  let work: Reencoding;
  const proof: ReencodeProof = {
    ...{ pictures: 60, ptsHash: '', soundFrames: 151, sound: 'copied', quality: null, tookMs: 1 },
  };

  beforeAll(() => {
    work = { ...reencoding(testProfile({ name: 'swap' })), entries: afterHole };
  });

  async function swap(crf: number, change: Partial<SwapOptions> = {}): Promise<ReencodeManifest> {
    const joined = await join(await encodeAll(work, { crf }), work);
    const recordings = { find: () => Promise.resolve(work.recording) };
    const rest = { source: work.entries, proof, recordings, nowMs: 1000 + crf };
    return swapReencode(joined, { ...work, ...rest, ...change });
  }

  it('puts a manifest of immutable objects, keeps the one before for its readers, and clears chunks', async () => {
    const { id } = work.recording;
    const first = await swap(20);
    expect(await findManifest(work.store, id, 'swap')).toEqual(first);
    expect(isCurrent(first, work.entries)).toBe(true);
    expect(isCurrent(first, work.entries.slice(1))).toBe(false);
    expect(first).toMatchObject({
      ...{ width: 320, height: 180, durationMs: 3200, missingMs: 0, chunks: 1 },
      crf: { least: 20, most: 20 },
    });
    const keyOf = (manifest: ReencodeManifest): string => manifest.outputs[0]?.entry ?? '';
    const second = await swap(24);
    const third = await swap(28);
    expect(await work.store.find(keyOf(first))).toBeUndefined();
    expect(await work.store.find(keyOf(second))).toBeDefined();
    const bytes = await work.store.read(keyOf(third));
    const [object] = third.outputs[0]?.objects ?? [];
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(object?.sha256);
    const manifests = await listManifests(work.store, id);
    expect(manifests.map(({ madeAtMs }) => madeAtMs)).toEqual([1028]);
    expect(await collect(work.store.list(objectKeys.archiveChunks(id, 'swap')))).toEqual([]);
  });

  it('replaces nothing that is not wanted any more', async () => {
    const mayReplace = (): Promise<boolean> => Promise.resolve(false);
    await expect(swap(30, { mayReplace })).rejects.toMatchObject({ code: 'reencode-unwanted' });
    const manifest = await findManifest(work.store, work.recording.id, 'swap');
    expect(manifest?.crf?.most).toBe(28);
  });

  it('leaves nothing of a recording that was deleted meanwhile', async () => {
    const find = (): Promise<Recording> => Promise.resolve({ ...work.recording, deletedAtMs: 5 });
    const deleted = swap(30, { recordings: { find } });
    await expect(deleted).rejects.toMatchObject({ code: 'recording-not-found' });
    const left = await collect(work.store.list(objectKeys.archiveFolder(work.recording.id)));
    expect(left).toEqual([]);
  });
});
