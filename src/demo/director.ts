import type { Closable } from '../lifecycle.ts';
import type { BoardClient } from './drawing.ts';
import type { ScriptedParticipant } from './participant.ts';
import { SCRIPT, SCRIPT_LENGTH_MS, type Cue, type CueAction } from './script.ts';

/** A stroke grows this often: smooth to the eye, a few messages a second. */
const PEN_STEP_MS = 100;
/** What moves without leaving a line has to be smoother. */
const GLIDE_STEP_MS = 50;

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
  const { board } = participant;
  switch (action.do) {
    case 'say':
      participant.say(action.message);
      return;
    case 'write':
      board.addText(action.text);
      return;
    case 'shape':
      board.addShape(action.shape);
      return;
    case 'image':
      board.addImage(action.image, action.box);
      return;
    case 'clear':
      board.clear();
      return;
    case 'page':
      board.turnTo(action.page, action.region);
      return;
    case 'draw':
      drawSlowly(board, action, later);
      return;
    case 'glide':
      glide(board, action, later);
      return;
    case 'laser':
      point(board, action, later);
  }
}

function drawSlowly(
  board: BoardClient,
  { path, color, width, overMs }: Extract<CueAction, { do: 'draw' }>,
  later: Later,
): void {
  const steps = Math.max(1, Math.round(overMs / PEN_STEP_MS));
  const perStep = Math.ceil(path.length / 2 / steps) * 2;
  const extend = board.beginStroke({ points: path.slice(0, perStep), color, width });
  for (let step = 1; step * perStep < path.length; step++) {
    const points = path.slice(step * perStep, (step + 1) * perStep);
    later(step * PEN_STEP_MS, () => {
      extend(points);
    });
  }
}

/** Moves the view from one region to another, as fast in the middle as it is slow at the ends. */
function glide(
  board: BoardClient,
  { from, to, overMs }: Extract<CueAction, { do: 'glide' }>,
  later: Later,
): void {
  const steps = Math.round(overMs / GLIDE_STEP_MS);
  for (let step = 1; step <= steps; step++) {
    const share = (1 - Math.cos((Math.PI * step) / steps)) / 2;
    const mix = (a: number, b: number): number => a + (b - a) * share;
    later(step * GLIDE_STEP_MS, () => {
      board.setView({
        ...{ x: mix(from.x, to.x), y: mix(from.y, to.y) },
        ...{ width: mix(from.width, to.width), height: mix(from.height, to.height) },
      });
    });
  }
}

function point(
  board: BoardClient,
  { path, overMs }: Extract<CueAction, { do: 'laser' }>,
  later: Later,
): void {
  const steps = Math.round(overMs / GLIDE_STEP_MS);
  for (let step = 0; step < steps; step++) {
    const i = 2 * Math.floor((step / steps) * (path.length / 2));
    later(step * GLIDE_STEP_MS, () => {
      board.laser({ x: path[i] ?? 0, y: path[i + 1] ?? 0 });
    });
  }
  later(overMs, () => {
    board.laser(null);
  });
}
