# Shared by the scripts of this directory; sourced by bash, never run.
# shellcheck shell=bash

export PGCLIENTENCODING=UTF8 PGOPTIONS='-c client_min_messages=warning'

ask() { psql -X -q -v ON_ERROR_STOP=1 --pset=footer=off --pset=border=2 --pset=linestyle=unicode "$@"; }

# step WORDS: what comes now, numbered through both halves.
step() {
  DEMO_STEP=$((${DEMO_STEP:-0} + 1))
  export DEMO_STEP
  printf '\n\n== %d. %s\n\n' "$DEMO_STEP" "$*"
}
