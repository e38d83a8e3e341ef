import { findProgram } from '../programs.ts';

/**
 * Run by `sh` as the server's first self. The watcher hears of our death by the end of its input (a background job's
 * own input is /dev/null, hence 3), lets the server's clients say their last, and ends it; it dies with the server.
 */
const WATCH_AND_EXEC = `
socket=$1 polls=$2; shift 2
exec 3<&0
setpriv --pdeathsig KILL sh -c '
  [ "$PPID" = "$0" ] || exit # it died before it could be watched
  read -r _ <&3
  while [ "$2" -gt 0 ] && ! redis-cli -s "$1" info clients 2>/dev/null | grep -q "^connected_clients:1[^0-9]"; do
    set -- "$1" $(($2 - 1)); sleep 0.1
  done
  kill -TERM "$0"' $$ "$socket" "$polls" >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-
`;
const POLLS_A_SECOND = 10;

/**
 * A Redis server's command line, extended so that the server outlives this process just until its clients have left, at
 * the most by `lingerMs`: roles whose supervisor is killed can still write what they know. Give it a pipe as stdin and
 * write nothing to it. The process id is the server's. Without setpriv (util-linux) it is the bare command.
 */
export function withLastWill(
  command: readonly string[],
  options: { readonly socketPath: string; readonly lingerMs: number },
): readonly string[] {
  if (findProgram('setpriv') === undefined) return command;
  const polls = Math.round((options.lingerMs / 1000) * POLLS_A_SECOND);
  return ['sh', '-c', WATCH_AND_EXEC, 'sh', options.socketPath, String(polls), ...command];
}
