import type { StreamSource } from '../../src/model/recording.ts';
import { joinSourceReports, type SourceReport } from '../../src/model/source-report.ts';
import { streamName } from '../../src/protocol/classroom.ts';
import { element, setText } from './dom.ts';
import type { Geometry } from './layout/geometry.ts';
import type { LayoutTile } from './layout/who.ts';
import { Mixer } from './sound/mixer.ts';
import type { ClassModel } from './state.ts';
import { Tile } from './tile.ts';

/** Sources are looked at this often. */
const TICK_MS = 100;
/** Who has come on screen by speaking stays this long at least. */
const MIN_STAY_MS = 3000;

/** Streams that were taken away and are still reported, the latest: who names new ones for ever is not kept in full. */
const MAX_GONE = 100;

export type StageOptions = {
  readonly onState: (tile: Tile) => void;
  /** Who would be on screen of these: others are not even fetched with their picture. */
  readonly planShown: (tiles: readonly LayoutTile[]) => ReadonlySet<string>;
};

/** The tiles of a class: as many as its streams, some of them on screen. */
export class Stage {
  readonly root = element('section', 'tiles');
  readonly #options: StageOptions;
  readonly #mixer = new Mixer();
  readonly #tiles = new Map<string, Tile>();
  /** Streams that were taken away, as they ended: a report is of the whole recording. */
  readonly #gone = new Map<string, SourceReport>();
  /** When each was last heard to speak, as it was when that was last looked at. */
  #spokeMs = new Map<string, number>();
  #spokeSeenMs = Number.NEGATIVE_INFINITY;
  readonly #more = element('span', 'tiles-more');

  constructor(options: StageOptions) {
    this.#options = options;
    this.root.append(this.#more);
    setInterval(() => {
      const nowMs = performance.now();
      for (const tile of this.#tiles.values()) tile.player.tick(nowMs);
    }, TICK_MS);
  }

  get tiles(): readonly Tile[] {
    return [...this.#tiles.values()];
  }

  /** What decides who is on screen. Who spoke when is looked at anew each 3 s, so that nobody comes and goes at once. */
  candidates(): readonly LayoutTile[] {
    const nowMs = performance.now();
    if (nowMs - this.#spokeSeenMs >= MIN_STAY_MS) {
      this.#spokeSeenMs = nowMs;
      this.#spokeMs = new Map([...this.#tiles].map(([name, { player }]) => [name, player.spokeMs]));
    }
    return [...this.#tiles].map(([name, { source, isShown }]) =>
      this.#candidate(name, source, isShown),
    );
  }

  /** Brings the tiles in line with the class's streams: those that stay go on undisturbed. */
  setSources(sources: readonly StreamSource[]): void {
    const wanted = new Set(sources.map(streamName));
    for (const [name, tile] of this.#tiles) {
      if (wanted.has(name)) continue;
      this.#tiles.delete(name);
      tile.close();
      const reports = joinSourceReports(
        [...this.#gone.values()].filter((one) => streamName(one) === name),
        [tile.player.report()],
      );
      this.#gone.delete(name);
      for (const report of reports) this.#gone.set(name, report);
    }
    for (const name of [...this.#gone.keys()].slice(0, -MAX_GONE)) this.#gone.delete(name);
    const shown = this.#options.planShown(
      sources.map((source) => {
        const name = streamName(source);
        return this.#candidate(name, source, this.#tiles.get(name)?.isShown ?? false);
      }),
    );
    for (const source of sources) {
      const name = streamName(source);
      const tile = this.#tiles.get(name);
      if (tile !== undefined) tile.player.update(source);
      else this.#add(name, source, shown.has(name));
    }
    this.#spokeSeenMs = Number.NEGATIVE_INFINITY;
  }

  /** Shows what signalling says of the participants. */
  update(model: ClassModel): void {
    for (const tile of this.#tiles.values()) tile.update(model);
  }

  /** Puts the tiles where they belong; what has no place is off screen, and its picture no longer decoded. */
  place({ tiles, scale, page, pages }: Geometry): void {
    const slots = new Map(tiles.map((placed) => [placed.name, placed]));
    for (const [name, tile] of this.#tiles) tile.place(slots.get(name), scale);
    const hidden = this.#tiles.size - tiles.length;
    const more = pages > 1 ? `${page} / ${pages}` : hidden > 0 ? `+${hidden}` : '';
    this.root.dataset.more = more;
    setText(this.#more, more);
    const last = tiles.at(-1)?.box;
    this.#more.hidden = more === '' || last === undefined;
    if (last !== undefined) {
      this.#more.style.left = `${last.x + last.width}px`;
      this.#more.style.top = `${last.y}px`;
    }
  }

  reports(): readonly SourceReport[] {
    const present = this.tiles.map((tile) => tile.player.report());
    return joinSourceReports([...this.#gone.values()], present);
  }

  #candidate(name: string, { participantId, role }: StreamSource, isShown: boolean): LayoutTile {
    const spokeMs = this.#spokeMs.get(name) ?? Number.NEGATIVE_INFINITY;
    return { name, participantId, role, isShown, spokeMs };
  }

  #add(name: string, source: StreamSource, isShown: boolean): void {
    const { onState } = this.#options;
    const tile = new Tile(source, { mixer: this.#mixer, isShown, onState });
    this.#tiles.set(name, tile);
    this.root.append(tile.root);
  }
}
