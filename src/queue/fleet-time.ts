import type { Redis } from 'ioredis';

/** The fleet's clock, which Redis keeps: Unix ms. Later than asked for by at most the answer's way. */
export async function readFleetMs(client: Pick<Redis, 'time'>): Promise<number> {
  const [seconds, micros] = await client.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
