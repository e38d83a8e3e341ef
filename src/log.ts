import { pino, type Logger } from 'pino';

export type Log = Logger;

/**
 * A role's logger: JSON lines on stderr, so that stdout stays for results. Child loggers carry recording,
 * slot and trace ids. Level from `config.logLevel`.
 */
export function createLog(role: string, level: string): Log {
  return pino(
    { level, base: { role, pid: process.pid } },
    pino.destination({ dest: 2, sync: true }),
  );
}
