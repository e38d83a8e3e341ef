import { describe, expect, it } from 'vitest';
import { formatFindings } from '../../../src/cli/doctor.ts';
import type { Facts } from '../../../src/cli/doctor/facts.ts';
import { judge } from '../../../src/cli/doctor/findings.ts';

const GIB = 1024 ** 3;
const healthy: Facts = {
  nodeVersion: '20.19.0',
  chromium: { path: '/usr/bin/chromium', version: '156.0.1' },
  ffmpeg: { path: '/usr/bin/ffmpeg', version: '5.1.6', encoders: ['libx264', 'aac'] },
  ffprobe: { path: '/usr/bin/ffprobe', version: '5.1.6' },
  redis: { path: '/usr/bin/redis-server', version: '7.0.15' },
  redisUrl: undefined,
  fonts: { cjk: ['Noto Sans CJK SC'], emoji: ['Noto Color Emoji'] },
  sandbox: { isRoot: false, hasUserNamespaces: true, hasSetuidHelper: false },
  port: { host: '127.0.0.1', port: 8787, fault: undefined },
  dataDir: { path: '/data', fault: undefined, freeBytes: 10 * GIB },
  clock: { unixMs: Date.UTC(2026, 0, 1), isSynchronized: true },
  sharedMemoryBytes: GIB,
  hasPages: true,
};

/** The findings that are not ok, as `name verdict`. */
function trouble(facts: Partial<Facts>): string[] {
  return judge({ ...healthy, ...facts })
    .filter((finding) => finding.verdict !== 'ok')
    .map((finding) => `${finding.name} ${finding.verdict}`);
}

describe('doctor', () => {
  it('has nothing to say against a healthy machine', () => {
    expect(trouble({})).toEqual([]);
    expect(formatFindings(judge(healthy))).toMatch(/Ready to record\.$/);
  });

  it.each<[string, Partial<Facts>, string]>([
    ['old Node', { nodeVersion: '20.18.3' }, 'node fault'],
    ['no Chromium', { chromium: undefined }, 'chromium fault'],
    ['old Chromium', { chromium: { path: '/c', version: '90.0' } }, 'chromium fault'],
    ['no ffmpeg', { ffmpeg: undefined }, 'ffmpeg fault'],
    [
      'ffmpeg without x264',
      { ffmpeg: { path: '/f', version: '6.0', encoders: ['aac'] } },
      'ffmpeg fault',
    ],
    ['no ffprobe', { ffprobe: undefined }, 'ffprobe fault'],
    ['no Redis', { redis: undefined }, 'redis-server fault'],
    ['old Redis', { redis: { path: '/r', version: '6.2.0' } }, 'redis-server fault'],
    ['no Chinese font', { fonts: { cjk: [], emoji: ['E'] } }, 'fonts: Chinese fault'],
    ['no emoji font', { fonts: { cjk: ['C'], emoji: [] } }, 'fonts: emoji fault'],
    ['root', { sandbox: { ...healthy.sandbox, isRoot: true } }, 'sandbox warning'],
    ['no sandbox', { sandbox: { ...healthy.sandbox, hasUserNamespaces: false } }, 'sandbox fault'],
    ['a taken port', { port: { ...healthy.port, fault: 'EADDRINUSE' } }, 'port fault'],
    [
      'an unwritable folder',
      { dataDir: { ...healthy.dataDir, fault: 'EACCES' } },
      'data folder fault',
    ],
    ['a full disk', { dataDir: { ...healthy.dataDir, freeBytes: GIB } }, 'disk fault'],
    ['a clock in 1970', { clock: { unixMs: 0, isSynchronized: true } }, 'clock fault'],
    [
      'a free-running clock',
      { clock: { ...healthy.clock, isSynchronized: false } },
      'clock warning',
    ],
    ['Docker’s /dev/shm', { sharedMemoryBytes: GIB / 16 }, '/dev/shm fault'],
    ['no /dev/shm', { sharedMemoryBytes: undefined }, '/dev/shm fault'],
    ['no pages', { hasPages: false }, 'pages fault'],
  ])('finds %s and says how to mend it', (_, facts, expected) => {
    expect(trouble(facts)).toEqual([expected]);
    const finding = judge({ ...healthy, ...facts }).find((f) => f.verdict !== 'ok');
    expect(finding?.mend).toBeTruthy();
  });

  it('needs no redis-server where Redis is another machine’s', () => {
    expect(trouble({ redis: undefined, redisUrl: 'redis://queue:6379' })).toEqual([]);
  });

  it('takes the setuid helper where user namespaces are not allowed', () => {
    const sandbox = { isRoot: false, hasUserNamespaces: false, hasSetuidHelper: true };
    expect(trouble({ sandbox })).toEqual([]);
  });

  it('prints each mend below its fault, and counts the faults', () => {
    const report = formatFindings(judge({ ...healthy, redis: undefined, hasPages: false }));
    expect(report).toMatch(/FAULT {2}redis-server .*not found on PATH\n +mend: .*provision\.sh/);
    expect(report).toMatch(/2 to mend before recording works\.$/);
  });
});
