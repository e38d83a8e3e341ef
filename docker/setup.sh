#!/usr/bin/env bash
# Makes a clone ready to run: system packages, node modules, bundled pages; each only when missing or out of date.
# Usage: setup.sh [--test]   (--test adds what the tests need). Needs no terminal; speaks on stderr.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly minimum_node=20.19.0
readonly page_sources=(recorder/page recorder/classroom src/web src/protocol src/model vite.config.ts package-lock.json)
# Belt and braces beside package.json: Chromium comes from the system, no package may fetch one.
export PUPPETEER_SKIP_DOWNLOAD=1

main() {
  local with_tests=false
  case "${1:-}" in
    '') ;;
    --test) with_tests=true ;;
    *) fail "unknown option '$1'; expected --test or nothing" ;;
  esac

  require_node
  one_at_a_time
  # apt and npm wait for different things: run them side by side.
  install_system "$with_tests" &
  local system=$!
  local modules=0
  install_modules . || modules=$?
  if $with_tests && ((modules == 0)); then install_modules test/node24 || modules=$?; fi
  wait "$system"
  ((modules == 0)) || fail 'node modules could not be installed'
  require_programs
  build_pages
}

require_node() {
  command -v node >/dev/null || fail "Node $minimum_node or newer is missing; get it from your system's packages or nodejs.org"
  command -v npm >/dev/null || fail "npm is missing; it comes with Node"
  local version
  version=$(node --version)
  [[ $(printf '%s\n' "$minimum_node" "${version#v}" | sort -V | head -n1) == "$minimum_node" ]] ||
    fail "Node $minimum_node or newer is needed, this is ${version#v}"
}

# Two set-ups in one clone would remove each other's node_modules.
one_at_a_time() {
  mkdir -p .cache
  command -v flock >/dev/null || return 0
  exec 9>.cache/setup.lock
  flock -n 9 || { say 'waiting for another set-up of this clone'; flock 9; }
}

install_system() {
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then return 0; fi
  local groups=(runtime demo)
  $1 && groups+=(test)
  # A failure is not the end: the programs may be here in another way, which require_programs finds out.
  bash docker/provision.sh "${groups[@]}" 9>&- || say 'system packages could not be installed'
}

require_programs() {
  local missing=()
  command -v "${CHALKREEL_CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable chrome >/dev/null || missing+=(chromium)
  local program
  for program in ffmpeg ffprobe redis-server; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  ((${#missing[@]} == 0)) && return
  say "missing: ${missing[*]}"
  say 'on Debian:       sudo bash docker/provision.sh runtime'
  say 'elsewhere:       install Chromium (or set CHALKREEL_CHROMIUM), ffmpeg with libx264, redis-server 7'
  fail 'run this again when they are on PATH'
}

# `npm ci` in a folder, when its lock file or Node itself is not what the modules were installed for.
install_modules() {
  local folder=$1 stamp="$1/node_modules/.chalkreel-stamp" wanted
  wanted="$(node --version) $(sha256sum <"$folder/package-lock.json")"
  [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
  say "installing node modules in $folder"
  # No install scripts: nothing we use needs them, npm 10 and 11 then do the same, and nothing is downloaded behind our back.
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2 9>&-) || return
  mkdir -p "$folder/node_modules"
  echo "$wanted" >"$stamp"
}

# Bundles the pages, when one of their sources is not what they were bundled from.
build_pages() {
  local stamp=dist/pages/.stamp wanted
  wanted=$(find "${page_sources[@]}" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
  say 'bundling pages'
  node node_modules/vite/bin/vite.js build </dev/null >&2 9>&-
  echo "$wanted" >"$stamp"
}

say() { echo "setup: $1" >&2; }

fail() {
  say "$1"
  exit 1
}

main "$@"
