import type { BoardState } from '../state.ts';
import type { LiveBoard } from './live-board.ts';

export type Board = {
  /** Resolves when what is on the board is drawn, or when it is known that it cannot be. */
  readonly drawn: Promise<void>;
  readonly state: () => BoardState;
};

/** What is known where there is no board, or none yet. */
export const NO_BOARD: BoardState = {
  synced: false,
  view: null,
  elements: 0,
  texts: [],
  skipped: 0,
};

/** Shows a shared whiteboard in `host`, read-only. What draws it is large, and is loaded only now. */
export function openBoard(
  url: string,
  host: HTMLElement,
  onFailure: (message: string) => void,
): Board {
  let board: LiveBoard | undefined;
  const open = async (): Promise<void> => {
    try {
      const { joinBoard } = await import('./live-board.ts');
      board = await joinBoard(url, host);
    } catch (error) {
      onFailure(error instanceof Error ? error.message : String(error));
    }
  };
  return { drawn: open(), state: () => board?.state() ?? NO_BOARD };
}
