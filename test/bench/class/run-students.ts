import { once } from 'node:events';
import WebSocket from 'ws';
import type { ClientMessage } from '../../../src/protocol/signalling.ts';

/**
 * The students of a class, alone in a process: `URL STUDENTS CHATS_PER_SECOND HANDS`. They come within 9 s, then raise hands and chat until
 * stdin ends. Prints `{ joinedMs }` when all have their snapshot, and at the end what was said and what it cost.
 */
const [url = '', ...numbers] = process.argv.slice(2);
const [students = 0, chatsPerSecond = 0, hands = 0] = numbers.map(Number);
/** Somewhat less than the 10 s that a thousand may take. */
const COMING_MS = 9_000;
const STEP_MS = 20;

const cpuBefore = process.cpuUsage();
const sockets: WebSocket[] = [];
const said: string[] = [];
let latestMs = 0;
let isOver = false;

const say = (student: number, message: ClientMessage): void => {
  sockets[student]?.send(JSON.stringify(message));
};
const print = (value: object): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(value)}\n`, () => resolve());
  });

process.stdin.resume().once('end', () => {
  isOver = true;
});
const beganMs = performance.now();
await Promise.all(Array.from({ length: students }, (_, i) => come(i)));
await print({ joinedMs: performance.now() - beganMs });
for (let i = 0; i < hands; i += 1) say(1 + i, { type: 'raise-hand', raised: true });
await chat();
const { user, system } = process.cpuUsage(cpuBefore);
const cpuSeconds = (user + system) / 1e6;
const wallSeconds = (performance.now() - beganMs) / 1000;
// What was said is more than a pipe holds at once.
await print({ said, hands, latestMs, cpuSeconds, wallSeconds });
process.exit(0);

/** Resolves when the class has answered. */
async function come(i: number): Promise<void> {
  await sleep((i * COMING_MS) / students);
  const socket = (sockets[i] = new WebSocket(url));
  await once(socket, 'open');
  const answered = once(socket, 'message');
  const name = i === 0 ? '李老师 Ms Li' : `学生 ${i} ${['王', '陈', '赵', '李'][i % 4] ?? ''}`;
  say(i, { type: 'join', name, role: i === 0 ? 'teacher' : 'student', participantId: `p${i}` });
  await answered;
  if (i === 0) say(i, { type: 'class-start' });
}

async function chat(): Promise<void> {
  const startMs = performance.now();
  while (!isOver) {
    const nowMs = performance.now();
    const due = Math.floor(((nowMs - startMs) * chatsPerSecond) / 1000);
    latestMs = Math.max(
      latestMs,
      nowMs - startMs - (said.length * 1000) / Math.max(1, chatsPerSecond),
    );
    while (said.length < due) {
      const text = `第 ${said.length} 句话：老师好 👋 ${'啊'.repeat(said.length % 40)}`;
      said.push(text);
      say(1 + (said.length % (students - 1)), { type: 'chat', text });
    }
    await sleep(STEP_MS);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
