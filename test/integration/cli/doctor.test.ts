import { createServer, type AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatherFacts } from '../../../src/cli/doctor/facts.ts';
import { loadConfig } from '../../../src/config.ts';
import { Resources } from '../../../src/lifecycle.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const resources = new Resources();
let folder: string;

beforeAll(async () => {
  folder = resources.use(await makeTempFolder('doctor')).path;
});
afterAll(() => resources.close());

describe('facts', () => {
  it('are those of this machine, which can run these tests', async () => {
    const facts = await gatherFacts(
      loadConfig({ CHALKREEL_DATA_DIR: folder, CHALKREEL_PORT: '0' }),
    );
    expect(facts.chromium?.version).toMatch(/^\d+\.\d+/);
    expect(facts.ffmpeg?.encoders).toEqual(expect.arrayContaining(['libx264', 'aac']));
    expect(facts.redis?.version).toMatch(/^\d+\./);
    expect(facts.fonts?.cjk).not.toEqual([]);
    expect(facts.fonts?.emoji).not.toEqual([]);
    expect(facts.dataDir.fault).toBeUndefined();
    expect(facts.dataDir.freeBytes).toBeGreaterThan(0);
    expect(facts.port.fault).toBeUndefined();
  });

  it('tell a taken port, a folder that cannot be made and a Chromium that is none', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    resources.defer(() => void server.close());
    await writeFile(path.join(folder, 'file'), '');
    const facts = await gatherFacts(
      loadConfig({
        CHALKREEL_PORT: `${(server.address() as AddressInfo).port}`,
        CHALKREEL_DATA_DIR: path.join(folder, 'file', 'below'),
        CHALKREEL_CHROMIUM: path.join(folder, 'no-chromium'),
      }),
    );
    expect(facts.port.fault).toMatch(/EADDRINUSE/);
    expect(facts.dataDir.fault).toMatch(/ENOTDIR|EEXIST/);
    expect(facts.chromium).toBeUndefined();
  });
});
