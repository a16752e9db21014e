#!/usr/bin/env bash
# The tour behind `make demo`: runs against the new, empty server that the environment names (PGHOST, PGUSER ...). Each
# question is a file of this directory: a comment that says what is asked, then one query.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh

# question FILE: the question in words and in SQL, the answer, and how PostgreSQL found it (one session for both, so that
# the plan does not show how the session read the catalogs for the first time).
question() {
  local query
  query=$(sed '/^--/d' "$1")
  step "$(sed -n 's/^-- //p' "$1")"
  sed 's/^/    /' <<<"$query"
  echo
  ask -c "$query" -c '\pset tuples_only' -c '\pset border 0' -c '\pset format unaligned' \
    -c "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) $query"
}

step '135,233 cities of the world (GeoNames, CC BY 4.0)'
ask -f load.sql

step 'Building indexes: xtree beside gist'
ask -f build.sql

for file in question-*.sql; do
  question "$file"
done

exec ./life.sh
