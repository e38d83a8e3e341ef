import limiterUrl from './limiter-worklet.ts?worker&url';

/** A sound comes and goes within this, so that nothing clicks. */
const FADE_S = 0.012;

/** One source's place in the mix. */
export type Sound = {
  /** Fades it in or out. What is not heard is taken off the mixer: it costs nothing. */
  setHeard(isHeard: boolean): void;
  close(): void;
};

/** All sources' sound, added up and limited, so that many voices at once do not clip. */
export class Mixer {
  readonly #context = new AudioContext({ latencyHint: 'interactive' });
  readonly #sum = new GainNode(this.#context, { channelCount: 2, channelCountMode: 'explicit' });

  constructor() {
    void this.#connect();
    // where the browser wants a gesture for sound (a person opened the page)
    addEventListener('pointerdown', () => void this.#context.resume(), { once: true });
  }

  /** The sound of a WebRTC track. */
  addStream(stream: MediaStream): Sound {
    return this.#add(new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream }));
  }

  /** The sound of an element, which from then on is heard through the mixer only. */
  addElement(mediaElement: HTMLMediaElement): Sound {
    return this.#add(new MediaElementAudioSourceNode(this.#context, { mediaElement }));
  }

  async #connect(): Promise<void> {
    const node = await this.#context.audioWorklet.addModule(limiterUrl).then(
      () =>
        new AudioWorkletNode(this.#context, 'chalkreel-limiter', {
          outputChannelCount: [2],
          channelCount: 2,
          channelCountMode: 'explicit',
        }),
      // heard without a limiter is better than not heard
      (error: unknown) => {
        console.error('limiter', error);
        return undefined;
      },
    );
    if (node === undefined) this.#sum.connect(this.#context.destination);
    else this.#sum.connect(node).connect(this.#context.destination);
  }

  #add(node: AudioNode): Sound {
    const gain = new GainNode(this.#context, { gain: 0 });
    let isHeard = false;
    let off: number | undefined;
    const setHeard = (next: boolean): void => {
      if (next === isHeard) return;
      isHeard = next;
      clearTimeout(off);
      const now = this.#context.currentTime;
      gain.gain.cancelScheduledValues(now);
      gain.gain.setTargetAtTime(next ? 1 : 0, now, FADE_S / 3);
      if (next) {
        node.connect(gain);
        gain.connect(this.#sum);
      } else {
        off = setTimeout(() => {
          node.disconnect();
          gain.disconnect();
        }, FADE_S * 3000);
      }
    };
    return {
      setHeard,
      close: () => {
        setHeard(false);
      },
    };
  }
}
