import { parsePps, parseSps } from '../h264-parameter-sets.ts';
import type { ParameterSets } from '../h264.ts';
import type { AvcDescription } from './movie.ts';

/**
 * The parameter sets of a track. Those whose ids do not collide are listed in its sample entry, once. From the first that do collide (another encoder took
 * over), every key picture carries its own: Chromium 156 knows only the first sample entry, and a player that seeks looks at nothing before its key
 * picture. ISO/IEC 14496-15 §5.4.2.1 has `avc3` for that, which VLC 3 does not read; as `avc1` it plays in all that were tried.
 */
export class AvcParameterSets {
  readonly #sps = new Map<number, Uint8Array>();
  readonly #pps = new Map<number, Uint8Array>();
  #isInBand = false;

  /** Takes the next key picture's sets, in the order of the file; true when its sample must carry them. */
  place(sets: ParameterSets): boolean {
    this.#isInBand ||= !this.#fit(sets);
    if (this.#isInBand) return true;
    for (const set of sets.sps) this.#sps.set(parseSps(set).id, Uint8Array.from(set));
    for (const set of sets.pps) this.#pps.set(parsePps(set).id, Uint8Array.from(set));
    return false;
  }

  get description(): AvcDescription {
    return { sps: [...this.#sps.values()], pps: [...this.#pps.values()] };
  }

  #fit({ sps, pps }: ParameterSets): boolean {
    const fits = (known: Map<number, Uint8Array>, id: number, set: Uint8Array): boolean => {
      const present = known.get(id);
      return present === undefined || Buffer.compare(present, set) === 0;
    };
    return (
      sps.every((set) => fits(this.#sps, parseSps(set).id, set)) &&
      pps.every((set) => fits(this.#pps, parsePps(set).id, set))
    );
  }
}
