import type { Closable } from '../lifecycle.ts';
import type { ScriptedParticipant } from './participant.ts';
import { SCRIPT, SCRIPT_LENGTH_MS, type Cue, type CueAction } from './script.ts';

/** A stroke grows this often: smooth to the eye, a few messages a second. */
const PEN_STEP_MS = 100;

/** Has the participants play the script by the clock, again and again, until closed. */
export function startScript(cast: readonly ScriptedParticipant[]): Closable {
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };
  const play = (cue: Cue): void => {
    const participant = cast[cue.who];
    if (participant !== undefined) perform(participant, cue.action, later);
  };
  const startedAtMs = performance.now();
  const round = (n: number): void => {
    const roundAtMs = startedAtMs + n * SCRIPT_LENGTH_MS - performance.now();
    for (const cue of SCRIPT)
      later(Math.max(0, roundAtMs + cue.atMs), () => {
        play(cue);
      });
    later(roundAtMs + SCRIPT_LENGTH_MS, () => {
      round(n + 1);
    });
  };
  round(0);
  return {
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      return Promise.resolve();
    },
  };
}

type Later = (ms: number, act: () => void) => void;

function perform(participant: ScriptedParticipant, action: CueAction, later: Later): void {
  switch (action.do) {
    case 'say':
      participant.say(action.message);
      return;
    case 'write':
      participant.write(action.text);
      return;
    case 'clear':
      participant.clearBoard();
      return;
    case 'draw':
      drawSlowly(participant, action, later);
  }
}

function drawSlowly(
  participant: ScriptedParticipant,
  { path, color, width, overMs }: Extract<CueAction, { do: 'draw' }>,
  later: Later,
): void {
  const steps = Math.max(1, Math.round(overMs / PEN_STEP_MS));
  const perStep = Math.ceil(path.length / 2 / steps) * 2;
  const extend = participant.beginStroke({ points: path.slice(0, perStep), color, width });
  for (let step = 1; step * perStep < path.length; step++) {
    const points = path.slice(step * perStep, (step + 1) * perStep);
    later(step * PEN_STEP_MS, () => {
      extend(points);
    });
  }
}
