import { NO_PICTURES, type PictureStats } from '../../src/protocol/recorder-link.ts';
import type { Link } from './link.ts';
import type { Picture } from './picture.ts';

/** Stands where the picture would when only sound is kept: it says when recording begins and ends, and encodes nothing. */
export class NoPicture implements Picture {
  onBegun: (firstFrameMs: number) => void = () => undefined;
  readonly latenessMs = 0;
  readonly #link: Pick<Link, 'nowMs'>;
  #hasBegun = false;
  #endMs = Infinity;
  #nowMs = 0;

  constructor(link: Pick<Link, 'nowMs'>) {
    this.#link = link;
  }

  get isDone(): boolean {
    return this.#nowMs >= this.#endMs;
  }

  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.onBegun(this.#link.nowMs());
  }

  endAt(endMs: number): void {
    this.#endMs = endMs;
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  stats(): PictureStats {
    return NO_PICTURES;
  }
}
