import { startClassroomServer } from '../../../src/demo/http-server.ts';
import { SignallingServer } from '../../../src/demo/signalling-server.ts';
import { createLog } from '../../../src/log.ts';

/** A class's signalling, alone in a process. Prints `{ port }`; when its stdin ends, `{ cpuSeconds }`. */
const signalling = new SignallingServer({
  title: '千人大课 A thousand students',
  log: createLog('class', 'silent'),
});
const server = await startClassroomServer({
  port: 0,
  feeds: new Map(),
  sockets: new Map([['/signalling', signalling.sockets]]),
  describe: () => ({}),
});
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
const before = process.cpuUsage();
process.stdin.resume().once('end', () => {
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${JSON.stringify({ cpuSeconds: (user + system) / 1e6 })}\n`, () => {
    process.exit(0);
  });
});
