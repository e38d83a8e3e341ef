import type { StreamSource } from '../../src/model/recording.ts';
import type { SourceReport } from '../../src/model/source-report.ts';
import { streamName } from '../../src/protocol/classroom.ts';
import { chooseShown, MAX_TILES } from './choose-shown.ts';
import { Mixer } from './sound/mixer.ts';
import type { ClassModel } from './state.ts';
import { Tile } from './tile.ts';

/** Sources are looked at this often. */
const TICK_MS = 100;
/** Who has come on screen stays this long at least, unless somebody is put there by name. */
const MIN_STAY_MS = 3000;

/** The tiles of a class: as many as its streams, some of them on screen. */
export class Stage {
  readonly row: HTMLElement;
  readonly #mixer = new Mixer();
  readonly #tiles = new Map<string, Tile>();
  /** Streams that were taken away, as they ended: a report is of the whole recording. */
  readonly #gone = new Map<string, SourceReport>();
  readonly #onState: (tile: Tile) => void;
  #chosenMs = Number.NEGATIVE_INFINITY;
  #chosenFor = '';

  constructor(row: HTMLElement, onState: (tile: Tile) => void) {
    this.row = row;
    this.#onState = onState;
    setInterval(() => {
      const nowMs = performance.now();
      for (const tile of this.#tiles.values()) tile.player.tick(nowMs);
    }, TICK_MS);
  }

  get tiles(): readonly Tile[] {
    return [...this.#tiles.values()];
  }

  /** The first stream leads, where signalling names nobody. */
  get lead(): string | undefined {
    return this.tiles[0]?.source.participantId;
  }

  /** Brings the tiles in line with the class's streams: those that stay go on undisturbed. */
  setSources(sources: readonly StreamSource[]): void {
    const wanted = new Set(sources.map(streamName));
    for (const [name, tile] of this.#tiles) {
      if (wanted.has(name)) continue;
      this.#tiles.delete(name);
      this.#gone.set(name, tile.player.report());
      tile.close();
    }
    for (const source of sources) {
      const name = streamName(source);
      const tile = this.#tiles.get(name);
      if (tile !== undefined) tile.player.update(source);
      else this.#add(name, source);
    }
    this.#chosenMs = Number.NEGATIVE_INFINITY;
  }

  /** Shows what signalling says, and whoever is to be on screen now. */
  update(model: ClassModel): void {
    const lead = model.spotlight ?? this.lead;
    for (const tile of this.#tiles.values()) {
      tile.update(model);
      tile.root.classList.toggle('is-lead', tile.source.participantId === lead);
    }
    this.#choose(model);
  }

  reports(): readonly SourceReport[] {
    const present = this.tiles.map((tile) => tile.player.report());
    return [...this.#gone.values(), ...present];
  }

  #add(name: string, source: StreamSource): void {
    // who is on screen is decided in a moment; until then no more is decoded than any layout shows
    const isShown = this.tiles.filter((one) => one.isShown).length < MAX_TILES.board;
    const tile = new Tile(source, { mixer: this.#mixer, isShown, onState: this.#onState });
    this.#tiles.set(name, tile);
    this.row.append(tile.root);
  }

  #choose({ layout, spotlight }: ClassModel): void {
    const chosenFor = `${layout} ${spotlight ?? ''}`;
    const nowMs = performance.now();
    if (chosenFor === this.#chosenFor && nowMs - this.#chosenMs < MIN_STAY_MS) return;
    this.#chosenFor = chosenFor;
    this.#chosenMs = nowMs;
    const limit = MAX_TILES[layout];
    const candidates = [...this.#tiles].map(([name, { source, isShown, player }]) => ({
      ...{ name, source, isShown },
      spokeMs: player.spokeMs,
    }));
    const shown = new Set(chooseShown(candidates, { limit, spotlight }));
    for (const [name, tile] of this.#tiles) tile.setShown(shown.has(name));
    const count = Math.max(1, shown.size);
    this.row.style.setProperty('--columns', String(Math.min(count, 6)));
    this.row.style.setProperty('--grid-columns', String(Math.max(2, Math.ceil(Math.sqrt(count)))));
    const hidden = this.#tiles.size - shown.size;
    this.row.dataset.more = hidden > 0 ? `+${hidden}` : '';
  }
}
