import type { ClientMessage } from '../protocol/signalling.ts';
import type { BoardText } from '../protocol/whiteboard.ts';
import { arc, polygon, star, underline, type Path } from './drawing.ts';

/** One thing a participant does, at a time within the script. */
export type Cue = {
  readonly atMs: number;
  /** Index into the cast: 0 is the teacher. */
  readonly who: 0 | 1 | 2 | 3;
  readonly action: CueAction;
};
export type CueAction =
  | { readonly do: 'say'; readonly message: ClientMessage }
  | { readonly do: 'write'; readonly text: BoardText }
  | {
      readonly do: 'draw';
      readonly path: Path;
      readonly color: string;
      readonly width: number;
      readonly overMs: number;
    }
  | { readonly do: 'clear' };

/** The script starts again after this; the teacher wipes the board first. */
export const SCRIPT_LENGTH_MS = 60_000;
export const DEMO_TITLE = '初二数学 · 勾股定理 — Grade 8 Maths';

const INK = {
  red: '#c0392b',
  blue: '#2563ac',
  green: '#2f7d4f',
  purple: '#7d4fa3',
  ink: '#24313f',
  orange: '#d18b12',
};

const chat = (text: string): CueAction => ({ do: 'say', message: { type: 'chat', text } });
const hand = (raised: boolean): CueAction => ({
  do: 'say',
  message: { type: 'raise-hand', raised },
});
const spotlight = (participantId: string | null): CueAction => ({
  do: 'say',
  message: { type: 'spotlight', participantId },
});
const layout = (name: 'board' | 'speaker'): CueAction => ({
  do: 'say',
  message: { type: 'layout', layout: name },
});
const write = (x: number, y: number, text: string, size: number, color: string): CueAction => ({
  do: 'write',
  text: { x, y, text, size, color },
});
const draw = (path: Path, color: string, overMs: number, width = 6): CueAction => ({
  do: 'draw',
  path,
  color,
  width,
  overMs,
});
const at = (seconds: number, who: Cue['who'], action: CueAction): Cue => ({
  atMs: Math.round(seconds * 1000),
  who,
  action,
});

/** A geometry lesson of a minute, the same every time, in order of time. */
export const SCRIPT: readonly Cue[] = [
  at(0, 0, { do: 'clear' }),
  at(0.2, 0, chat('同学们好！今天我们学习勾股定理。Good morning!')),
  at(0.4, 0, write(72, 112, '勾股定理', 72, INK.ink)),
  at(0.9, 1, chat('老师好！👋')),
  at(1.2, 0, draw(polygon([480, 360], [480, 540], [720, 540], [480, 360]), INK.ink, 1800)),
  at(1.6, 2, chat('Good morning, Ms Li 😊')),
  at(2.4, 3, chat('老师好，我准备好了 📐')),
  at(3.2, 0, draw(polygon([480, 510], [510, 510], [510, 540]), INK.ink, 400, 4)),
  at(3.8, 0, draw(polygon([480, 360], [300, 360], [300, 540], [480, 540]), INK.blue, 1400)),
  at(5.4, 0, draw(polygon([480, 540], [480, 780], [720, 780], [720, 540]), INK.green, 1400)),
  at(7, 0, draw(polygon([480, 360], [660, 120], [900, 300], [720, 540]), INK.red, 1800)),
  at(8.6, 0, write(364, 472, 'a²', 64, INK.blue)),
  at(9, 0, write(568, 682, 'b²', 64, INK.green)),
  at(9.4, 0, write(660, 352, 'c²', 64, INK.red)),
  at(9.6, 0, chat('谁能说出三条边的关系？Who sees how the sides relate?')),
  at(10.6, 1, hand(true)),
  at(11.4, 3, hand(true)),
  at(12, 0, spotlight('student-wang')),
  at(12.6, 1, chat('两个小正方形合起来等于大正方形！')),
  at(13.4, 1, write(1010, 180, 'a² + b² = c²', 84, INK.blue)),
  at(14.6, 1, hand(false)),
  at(15, 0, chat('完全正确！👏 Exactly right.')),
  at(15.6, 0, draw(underline(1010, 212, 470), INK.red, 700)),
  at(17, 0, spotlight('student-zhao')),
  at(17.6, 3, chat('3、4、5 就是一个例子吧？Is 3-4-5 an example?')),
  at(18.6, 3, write(1010, 320, '3² + 4² = 5²', 68, INK.purple)),
  at(19.6, 3, hand(false)),
  at(20.2, 3, write(1010, 420, '9 + 16 = 25 ✓', 68, INK.purple)),
  at(21, 0, chat('非常好 👍 课后请大家自己验证 5、12、13。')),
  at(22, 0, spotlight(null)),
  at(23, 2, draw(arc(1130, 640, 96, -90, 270), INK.orange, 1300)),
  at(24.4, 2, draw(arc(1096, 612, 5, 0, 360), INK.orange, 200, 10)),
  at(24.7, 2, draw(arc(1164, 612, 5, 0, 360), INK.orange, 200, 10)),
  at(25, 2, draw(arc(1130, 642, 52, 160, 20), INK.orange, 500)),
  at(25.8, 2, chat('屋顶的斜边也能这样算 🏠')),
  at(26.6, 3, draw(star(1400, 640, 100), INK.purple, 1500)),
  at(28.4, 0, chat('好例子！Roofs, ladders, screens: all the same triangle.')),
  at(31, 1, write(56, 740, '直角三角形：∠C = 90°', 38, INK.ink)),
  at(34, 2, hand(true)),
  at(35.5, 0, spotlight('student-chen')),
  at(36.2, 2, chat('老师，反过来也成立吗？Does it work backwards?')),
  at(38, 2, hand(false)),
  at(38.6, 0, chat('问得好！下节课讲逆定理。')),
  at(41, 0, spotlight(null)),
  at(42, 0, chat('作业：第 42 页第 3 题 📘 Homework: p. 42, no. 3')),
  at(43.5, 1, chat('收到 ✅')),
  at(44.3, 3, chat('谢谢老师 🙏')),
  at(46, 0, layout('speaker')),
  at(54, 0, layout('board')),
];
