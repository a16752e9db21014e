-- Views and functions of monitoring and memory. stats.out: without shared_preload_libraries; stats_1.out: with it.
SELECT current_setting('shared_preload_libraries') LIKE '%xtree%' AS preloaded;

-- names and types of the views' columns are an interface
SELECT c.relname AS view, string_agg(format('%s %s', attname, replace(format_type(atttypid, atttypmod), 'timestamp with time zone', 'timestamptz')), ', ' ORDER BY attnum) AS columns
  FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid WHERE relname LIKE 'pg_stat_xtree_%' AND attnum > 0 GROUP BY 1 ORDER BY 1;
-- every view, column and function of theirs is described
SELECT relname, obj_description(oid, 'pg_class') IS NOT NULL AS described FROM pg_class WHERE relname LIKE 'pg_stat_xtree_%' ORDER BY 1;
SELECT c.relname, attname FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
 WHERE relname LIKE 'pg_stat_xtree_%' AND attnum > 0 AND col_description(c.oid, attnum) IS NULL;

-- an index is there before anybody has touched it, of whatever kind it is, and only if it is an xtree
CREATE TABLE stats_points (id int, p point, k int);
INSERT INTO stats_points SELECT i, point(i % 100, i / 100), i % 10 FROM generate_series(1, 10000) i;
CREATE INDEX stats_xtree ON stats_points USING xtree (p) WITH (memory_quota = '0x10MB', preload = on, strategy = paged);
CREATE INDEX stats_gist ON stats_points USING gist (p);
CREATE UNLOGGED TABLE stats_unlogged AS SELECT * FROM stats_points;
CREATE INDEX stats_unlogged_xtree ON stats_unlogged USING xtree (p, k) WITH (memory_quota = 512);
CREATE TEMP TABLE stats_temporary AS SELECT * FROM stats_points;
CREATE INDEX stats_temporary_xtree ON stats_temporary USING xtree (k);
CREATE TABLE stats_parts (p point, k int) PARTITION BY LIST (k);
CREATE TABLE stats_part PARTITION OF stats_parts FOR VALUES IN (1);
CREATE INDEX stats_parts_xtree ON stats_parts USING xtree (p);
SELECT relname, indexrelname, state, strategy, memory_quota, preload, entries, size = pg_relation_size(indexrelid) AS size,
       bytes_per_entry = size::float8 / nullif(entries, 0) AS bytes_per_entry
  FROM pg_stat_xtree_indexes WHERE relname LIKE 'stats%' ORDER BY indexrelname;
SELECT indexrelname, mapped_bytes, resident_bytes, pinned_bytes, backends, loads, unloads, evictions, scans, tuples, mapped_reads, buffer_reads,
       mapped_share, hit_rate, retries, faults, prefetches, prefetch_time
  FROM pg_stat_xtree_indexes WHERE relname IN ('stats_points', 'stats_temporary') ORDER BY indexrelname;
SELECT relid::regclass, indexrelid::regclass, schemaname = current_schema() AS schema, first_access, last_access, load_time, last_error, last_error_time
  FROM pg_stat_xtree_indexes WHERE relname = 'stats_points';

-- options change, files change
ALTER INDEX stats_xtree RESET (memory_quota, preload);
ALTER INDEX stats_xtree SET (strategy = streamed);
TRUNCATE stats_unlogged;
SELECT indexrelname, strategy, memory_quota, preload, entries, size FROM pg_stat_xtree_indexes WHERE indexrelname IN ('stats_xtree', 'stats_unlogged_xtree') ORDER BY 1;

-- the rules of suggestions: hotness, threshold, pinned, level, bytes of the index, of them resident, scans
SELECT *, xtree_page_suggestion(hotness, 1, pinned, level, 1000, resident, scans) AS suggestion
  FROM (VALUES (1.0, false, 0, 1000, 0), (2.0, true, 0, 1000, 0), (0.5, false, 1, 499, 0), (2.0, true, 1, 499, 9), (2.0, true, 1, 500, 3),
               (0.5, false, 0, 499, 9), (0.5, false, 0, 500, 4), (0.5, false, 2, 500, 4), (0.5, false, 0, 500, 3), (0.499, false, 1, 0, 9),
               (0.0, false, 1, 0, 9)) v(hotness, pinned, level, resident, scans);

-- the server's rows
SELECT preloaded, registered IS NULL AS registered, mapped_bytes IS NULL AS mapped, pin_failures IS NULL AS failures, pressure, stats_reset IS NULL AS reset
  FROM pg_stat_xtree_memory;
SELECT count(*) FROM pg_stat_xtree_worker;

-- what cannot be loaded says why
SELECT xtree_load('stats_unlogged_xtree');
SELECT xtree_load('stats_temporary_xtree');
SET xtree.use_mmap = off;
SELECT xtree_load('stats_xtree');
RESET xtree.use_mmap;
BEGIN;
CREATE INDEX stats_new ON stats_points USING xtree (k);
SELECT xtree_load('stats_new');
ROLLBACK;

-- errors
SELECT xtree_load(NULL);
SELECT xtree_unload(NULL);
SELECT xtree_unpin(NULL);
SELECT xtree_load('stats_gist'), 1;
SELECT xtree_unload('stats_points');
SELECT xtree_unpin('stats_parts_xtree');
SELECT xtree_load('no_such_index');
SELECT xtree_load(0);
SELECT xtree_unload_cold(NULL);
SELECT xtree_unload_cold(0);
SELECT xtree_unload_cold(-1);
SELECT xtree_unload_idle(NULL);
SELECT xtree_unload_idle('-1 second');
SELECT xtree_unload_idle('1 month -31 days');
SELECT xtree_pin_hot(0);
SELECT xtree_pin_hot(-9223372036854775808);
SELECT pg_stat_xtree_reset(0), pg_stat_xtree_reset('stats_gist');
SELECT pg_stat_xtree_reset('stats_xtree');

-- everybody may look; only owners change; only those whom somebody has let do what concerns the whole server
CREATE ROLE regress_xtree_visitor;
SET ROLE regress_xtree_visitor;
SELECT count(*) FROM pg_stat_xtree_indexes WHERE indexrelname = 'stats_xtree';
SELECT count(*) >= 0 FROM pg_stat_xtree_pages;
SELECT count(*) FROM pg_stat_xtree_memory;
SELECT count(*) FROM pg_stat_xtree_worker;
SELECT count(*) >= 0 FROM pg_stat_xtree_events;
SELECT xtree_load('stats_xtree');
SELECT xtree_unload('stats_xtree');
SELECT xtree_unpin('stats_xtree');
SELECT xtree_unload_cold(1);
SELECT xtree_unload_idle('1 day');
SELECT xtree_pin_hot();
SELECT pg_stat_xtree_reset();
SELECT pg_stat_xtree_reset('stats_xtree');
RESET ROLE;
GRANT EXECUTE ON FUNCTION pg_stat_xtree_reset TO regress_xtree_visitor;
SET ROLE regress_xtree_visitor;
SELECT pg_stat_xtree_reset('stats_xtree');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION pg_stat_xtree_reset FROM regress_xtree_visitor;
DROP ROLE regress_xtree_visitor;

-- views and functions do not depend on the caller's search path: impostors of what they call are not called
CREATE SCHEMA stats_impostors;
CREATE FUNCTION stats_impostors.impostor(float8, numeric) RETURNS bool LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE OPERATOR stats_impostors.< (LEFTARG = float8, RIGHTARG = numeric, FUNCTION = stats_impostors.impostor);
CREATE FUNCTION stats_impostors.xtree_preloaded() RETURNS bool LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE FUNCTION stats_impostors.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT (1/0)::text';
CREATE FUNCTION stats_impostors.pg_relation_size(oid) RETURNS int8 LANGUAGE sql AS 'SELECT 1/0::int8';
SET search_path = stats_impostors, pg_catalog, public;
SELECT count(*) FROM public.pg_stat_xtree_indexes WHERE indexrelname LIKE 'stats%xtree';
SELECT count(*) >= 0 FROM public.pg_stat_xtree_pages WHERE suggestion = 'pin';
SELECT preloaded IS NULL FROM public.pg_stat_xtree_memory;
RESET search_path;
DROP SCHEMA stats_impostors CASCADE;

SELECT xtree_check(indexrelid, true), indexrelname FROM pg_stat_xtree_indexes WHERE relname LIKE 'stats%' ORDER BY indexrelname;
DROP TABLE stats_points, stats_unlogged, stats_temporary, stats_parts;
