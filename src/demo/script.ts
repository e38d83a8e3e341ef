import type { ClassLayout } from '../model/layout.ts';
import type { ClientMessage } from '../protocol/signalling.ts';
import { BOARD_CUES, type BoardAction } from './board-script.ts';

/** One thing a participant does, at a time within the script. */
export type Cue = {
  readonly atMs: number;
  /** Index into the cast: 0 is the teacher. */
  readonly who: 0 | 1 | 2 | 3;
  readonly action: CueAction;
};
export type CueAction = { readonly do: 'say'; readonly message: ClientMessage } | BoardAction;

/** The script starts again after this; the teacher wipes the board first. */
export const SCRIPT_LENGTH_MS = 60_000;
export const DEMO_TITLE = '初二数学 · 勾股定理 — Grade 8 Maths';

const chat = (text: string): CueAction => ({ do: 'say', message: { type: 'chat', text } });
const hand = (raised: boolean): CueAction => ({
  do: 'say',
  message: { type: 'raise-hand', raised },
});
const spotlight = (participantId: string | null): CueAction => ({
  do: 'say',
  message: { type: 'spotlight', participantId },
});
const layout = (name: ClassLayout): CueAction => ({
  do: 'say',
  message: { type: 'layout', layout: name },
});
const at = (seconds: number, who: Cue['who'], action: CueAction): Cue => ({
  atMs: Math.round(seconds * 1000),
  who,
  action,
});

/** A geometry lesson of a minute, the same every time. */
export const SCRIPT: readonly Cue[] = [
  ...BOARD_CUES,
  at(0.2, 0, chat('同学们好！今天我们学习勾股定理。Good morning!')),
  at(0.9, 1, chat('老师好！👋')),
  at(1.6, 2, chat('Good morning, Ms Li 😊')),
  at(2.4, 3, chat('老师好，我准备好了 📐')),
  at(9.6, 0, chat('谁能说出三条边的关系？Who sees how the sides relate?')),
  at(10.6, 1, hand(true)),
  at(11.4, 3, hand(true)),
  at(12, 0, spotlight('student-wang')),
  at(12.6, 1, chat('两个小正方形合起来等于大正方形！')),
  at(14.6, 1, hand(false)),
  at(15, 0, chat('完全正确！👏 Exactly right.')),
  at(17, 0, spotlight('student-zhao')),
  at(17.6, 3, chat('3、4、5 就是一个例子吧？Is 3-4-5 an example?')),
  at(19.6, 3, hand(false)),
  at(21, 0, chat('非常好 👍 课后请大家自己验证 5、12、13。')),
  at(22, 0, spotlight(null)),
  at(25.8, 2, chat('屋顶的斜边也能这样算 🏠')),
  at(28.4, 0, chat('好例子！Roofs, ladders, screens: all the same triangle.')),
  at(34, 2, hand(true)),
  at(35.5, 0, spotlight('student-chen')),
  at(36.2, 2, chat('老师，反过来也成立吗？Does it work backwards?')),
  at(38, 2, hand(false)),
  at(38.6, 0, chat('问得好！下节课讲逆定理。')),
  at(41, 0, spotlight(null)),
  at(42, 0, chat('作业：第 42 页第 3 题 📘 Homework: p. 42, no. 3')),
  at(43.5, 1, chat('收到 ✅')),
  at(44.3, 3, chat('谢谢老师 🙏')),
  at(46, 0, layout('spotlight')),
  at(54, 0, layout('small-class')),
];
