import { Limiter } from './limiter.ts';

/** What an AudioWorklet's scope has; TypeScript's DOM library leaves it out. */
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** The mixer's limiter, on the audio thread. */
class LimiterProcessor extends AudioWorkletProcessor {
  readonly #limiter = new Limiter(sampleRate, 2);

  process([input = []]: Float32Array[][], [output = []]: Float32Array[][]): boolean {
    this.#limiter.process(input, output);
    return true;
  }
}

registerProcessor('chalkreel-limiter', LimiterProcessor);
