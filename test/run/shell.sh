#!/usr/bin/env bash
# Parses every shell script of the project, and lints them where shellcheck is installed (set-up does that on Debian).
set -euo pipefail
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run)
for script in "${scripts[@]}"; do bash -n "$script"; done
if command -v shellcheck >/dev/null; then
  shellcheck --severity=style "${scripts[@]}"
else
  echo 'shellcheck is not installed: parsed only'
fi
