#!/usr/bin/env bash
# The second half of `make demo`: an index's life in memory, and a deferred index that the first query asks for. Runs against the server
# that the environment names, which has xtree in shared_preload_libraries. Each step says what is done, and then what
# the views say of it; a state that does not come within a minute is an error.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh

answer() { ask -At -c "$1"; }

# wait_until CONDITION: of SQL.
wait_until() {
  local try
  for ((try = 0; try < 240; try++)); do
    [ "$(answer "SELECT $1")" != t ] || return 0
    sleep 0.25
  done
  echo "did not happen within a minute: $1" >&2
  exit 1
}

of_view() { echo "(SELECT $1 FROM pg_stat_xtree_indexes WHERE indexrelname = 'cities_life')"; }

show() {
  ask -c "SELECT state, strategy, pg_size_pretty(size) AS size, pg_size_pretty(resident_bytes) AS \"in memory\", pg_size_pretty(pinned_bytes) AS pinned,
      backends AS \"sessions that map it\", scans, loads, evictions FROM pg_stat_xtree_indexes WHERE indexrelname = 'cities_life'"
}

# windows NUMBER: so many windows about a degree wide, around Paris, in one session.
windows() {
  answer "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
    SELECT 'cities found in $1 windows: ' || sum(found.n) FROM generate_series(1, $1) i,
      LATERAL (SELECT count(*) AS n FROM cities WHERE lon BETWEEN 1.8 + i % 10 / 10.0 AND 2.8 + i % 10 / 10.0
               AND lat BETWEEN 48.2 + i % 7 / 10.0 AND 49.2 + i % 7 / 10.0 AND name IS NOT NULL) found" | tail -n 1
}

step 'An index that nobody has used: registered, and nothing is kept of it'
ask -c 'CREATE INDEX cities_life ON cities USING xtree (lon, lat)'
show

step 'Its first use: loaded; sessions map its file and read it without locks'
windows 200
wait_until "$(of_view state) = 'loaded'"
windows 200
show

step 'The pages that are visited most are pinned: locked in memory'
windows 5000
wait_until "$(of_view pinned_bytes) > 0 OR (SELECT pin_failures > 0 FROM pg_stat_xtree_memory)"
show
ask -c "SELECT block, CASE level WHEN 0 THEN 'leaf' ELSE 'directory' END AS kind, accesses, round(hotness::numeric, 1) AS hotness, pinned
    FROM pg_stat_xtree_pages WHERE indexrelname = 'cities_life' ORDER BY hotness DESC, block LIMIT 5" \
  -c "SELECT pin_failures AS \"pins that the system's limit refused\", last_pin_failure FROM pg_stat_xtree_memory WHERE pin_failures > 0"

step 'Cold after two seconds without a scan (xtree.idle_timeout, five minutes if nobody says otherwise): evicted'
ask -c "ALTER SYSTEM SET xtree.idle_timeout = '2s'" -c 'SELECT pg_reload_conf()' >/dev/null
wait_until "$(of_view evictions) > 0 AND $(of_view state) = 'registered'"
ask -c 'ALTER SYSTEM RESET xtree.idle_timeout' -c 'SELECT pg_reload_conf()' >/dev/null
show

step 'Used again: loaded again'
windows 200
wait_until "$(of_view state) = 'loaded'"
windows 200
show

step 'What happened to it, and why'
ask -c "SELECT to_char(time, 'HH24:MI:SS') AS time, kind, pg_size_pretty(bytes) AS bytes, reason FROM pg_stat_xtree_events
    WHERE indexrelname = 'cities_life' ORDER BY number"

deferred() {
  ask -c "SELECT state, pg_size_pretty(size) AS size, is_built, demand AS \"queries that asked\" FROM pg_stat_xtree_indexes WHERE indexrelname = 'cities_people'"
}

step 'A deferred index, in place of one of those above: CREATE INDEX returns at once'
ask -c 'DROP INDEX cities_location_population_xtree'
ask -c 'CREATE INDEX cities_people ON cities USING xtree (population, location) WITH (build = deferred)'
deferred

step 'The first query that it would help reads the table, and asks for it; it is built in the background'
query="SELECT count(*) FROM cities WHERE population BETWEEN 100000 AND 120000 AND location <@ box '(0,0),(20,90)' AND name IS NOT NULL"
answer "$query"
wait_until "(SELECT is_built FROM pg_stat_xtree_indexes WHERE indexrelname = 'cities_people')"
deferred
ask --pset=tuples_only --pset=border=0 --pset=format=unaligned -c "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $query"

step 'All of it as one web page, with pictures of the trees'
pages=$(cd .. && mkdir -p "${XTREE_BUILD:-build}" && cd "${XTREE_BUILD:-build}" && pwd)
xtree-report -o "$pages/demo-report.html"
echo "To be opened in a browser: $pages/demo-report.html"
