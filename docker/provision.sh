#!/usr/bin/env bash
# The one list of system packages. `npm run setup` and the Dockerfile both install from here.
# Usage: provision.sh [runtime|demo|test|image]...   (default: runtime). Debian 12 or newer, as root.
# Instant, offline and without output when everything is there.
set -euo pipefail

# What a machine needs to record, cut and re-encode.
runtime=(
  chromium chromium-sandbox # the browser that opens classrooms, and its setuid sandbox
  ffmpeg                    # ffmpeg and ffprobe: clips, posters, contact sheets, the demo's cameras
  redis-server              # the embedded queue; run as our child, never as a system service
  fonts-noto-cjk fonts-noto-color-emoji fonts-noto-core fonts-dejavu-core # what classrooms are written in
  fontconfig                # fc-list, for `chalkreel doctor`
  procps util-linux         # ps; setpriv, unshare, flock
)
# What only the demo classroom calls.
demo=(
  janus # the WebRTC server (an SFU) that its cameras go through
  tcc   # builds the few lines that show Janus the loopback interface
)
# What only the checks and tests call.
test=(
  shellcheck
  iptables # packets that get lost, in a network namespace of a test's own
  faketime iproute2 # chaos: a worker's clock that is off, a worker cut off from Redis
  # What judges our streams from outside (docs/outside-tools.md).
  tstools mediainfo
  gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav
  vlc-bin vlc-plugin-base
)
# What only the container image needs.
image=(tini ca-certificates)

updated=false # the package lists, in this run
held=()       # services that were kept from starting

main() {
  local group
  # Group by group: that a program for the tests cannot be had must not keep what the product needs away.
  for group in "${@:-runtime}"; do
    case "$group" in
      runtime) provision "${runtime[@]}" ;;
      demo) provision "${demo[@]}" ;;
      test) provision "${test[@]}" ;;
      image) provision "${image[@]}" ;;
      *) fail "unknown group '$group'; expected runtime, demo, test or image" ;;
    esac
  done
}

provision() {
  local missing=()
  mapfile -t missing < <(list_missing "$@")
  ((${#missing[@]} == 0)) && return
  ((EUID == 0)) || fail "needs root to install: ${missing[*]}"
  echo "provision: installing ${missing[*]}" >&2
  install_packages "${missing[@]}"
}

list_missing() {
  comm -23 \
    <(printf '%s\n' "$@" | sort -u) \
    <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
      awk '$2 == "installed" { print $1 }' | sort -u)
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  hold_services
  $updated || "${apt[@]}" update </dev/null >&2
  updated=true
  # RUNLEVEL=1: invoke-rc.d starts nothing in single-user mode, so no redis of the system's appears.
  RUNLEVEL=1 "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >&2
}

# Where systemd runs it would start and enable the packaged services; one that the machine has already is left alone.
hold_services() {
  [[ -d /run/systemd/system ]] || return 0
  local service
  for service in redis-server janus; do
    [[ ! -e /lib/systemd/system/$service.service ]] || continue
    systemctl mask --runtime --quiet "$service.service"
    held+=("$service.service")
  done
  trap release_services EXIT
}

release_services() {
  local service
  for service in "${held[@]}"; do
    systemctl unmask --runtime --quiet "$service"
    systemctl disable --quiet "$service" || true
  done
}

fail() {
  echo "provision: $1" >&2
  exit 1
}

main "$@"
