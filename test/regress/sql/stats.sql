-- Views and functions of monitoring and memory. stats.out: without shared_preload_libraries; stats_1.out: with it. What is counted without depends
-- on the server (from PostgreSQL 17 on), so it is compared with what xtree_counted() says; test/t/031_counted.pl knows what that must be.
-- Seen to fail: with the first access not noted; with a reset that leaves pages.
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
SELECT indexrelname, mapped_bytes, resident_bytes, pinned_bytes, backends, loads, unloads, evictions, mapped_reads, mapped_share, retries, faults, hit_rate,
       coalesce(scans + tuples + buffer_reads + prefetches + prefetch_time + demand, 0) AS counted,
       num_nulls(scans, tuples, buffer_reads, prefetches, prefetch_time, demand)
         = CASE WHEN xtree_counted() AND indexrelname <> 'stats_temporary_xtree' THEN 0 ELSE 6 END AS known_where_counted
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
SELECT preloaded, mapped_bytes IS NULL AS mapped, pin_failures IS NULL AS failures, pressure,
       num_nulls(registered, private_bytes, stats_reset) = CASE WHEN xtree_counted() THEN 0 ELSE 3 END AS known_where_counted
  FROM pg_stat_xtree_memory;
SELECT count(*) FROM pg_stat_xtree_worker;

-- what scans do is counted, with shared_preload_libraries and without, but not of temporary indexes; so are visits of pages, and builds
CREATE FUNCTION stats_reset(index regclass DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_stat_xtree_reset(index);
  RETURN CASE WHEN xtree_counted() THEN 'as it should be' ELSE 'not refused' END;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RETURN CASE WHEN xtree_counted() THEN SQLERRM ELSE 'as it should be' END;
END $$;
SET enable_seqscan = off;
CREATE TABLE stats_counted AS SELECT * FROM stats_points;
CREATE INDEX stats_counted_xtree ON stats_counted USING xtree (p);
INSERT INTO stats_unlogged SELECT * FROM stats_points;
SELECT count(*) FROM stats_counted WHERE p <@ box '(0,0),(9,9)';
SELECT count(*) FROM stats_unlogged WHERE p <@ box '(0,0),(9,9)';
SELECT count(*) FROM stats_temporary WHERE k = 3;
SELECT indexrelname, coalesce(scans, 1) AS scans, coalesce(tuples, 99) AS tuples, coalesce(buffer_reads + coalesce(mapped_reads, 0) > 0, true) AS reads,
       coalesce(hit_rate BETWEEN 0 AND 1, true) AS hit_rate, coalesce(first_access <= last_access, true) AS accesses,
       num_nulls(scans, tuples, buffer_reads, hit_rate, first_access, last_access)
         = CASE WHEN xtree_counted() AND indexrelname <> 'stats_temporary_xtree' THEN 0 ELSE 6 END AS known_where_counted
  FROM pg_stat_xtree_indexes WHERE relname IN ('stats_counted', 'stats_unlogged', 'stats_temporary') ORDER BY indexrelname;
SELECT count(q.id) FROM generate_series(1, 100) i, LATERAL (SELECT id FROM stats_counted WHERE p <@ box(point(i, i), point(i, i)) LIMIT 1) q;
SELECT (count(*) > 0) = xtree_counted() AS counted, bool_and(accesses > 0 AND frequency > 0) IS DISTINCT FROM false AS visits
  FROM pg_stat_xtree_pages WHERE indexrelname = 'stats_counted_xtree';
SELECT stats_reset('stats_counted_xtree');
SELECT indexrelname, coalesce(scans, (indexrelname <> 'stats_counted_xtree')::int) AS scans FROM pg_stat_xtree_indexes
 WHERE indexrelname IN ('stats_counted_xtree', 'stats_unlogged_xtree') ORDER BY 1;
SELECT count(*) FROM pg_stat_xtree_pages WHERE indexrelname = 'stats_counted_xtree';
CREATE INDEX stats_deferred ON stats_counted USING xtree (k) WITH (build = deferred);
CALL xtree_build('stats_deferred');
SELECT coalesce(string_agg(reason, ', ' ORDER BY number) = 'begun, built', false) = xtree_counted() AS counted
  FROM pg_stat_xtree_events WHERE kind = 'build' AND indexrelname = 'stats_deferred';
DROP TABLE stats_counted;
TRUNCATE stats_unlogged;
RESET enable_seqscan;

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
SELECT stats_reset(0), stats_reset('stats_gist');

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
SELECT stats_reset('stats_xtree');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION pg_stat_xtree_reset FROM regress_xtree_visitor;
DROP ROLE regress_xtree_visitor;

-- views and functions do not depend on the caller's search path: impostors of what they call are not called
CREATE SCHEMA stats_impostors;
CREATE FUNCTION stats_impostors.impostor(float8, numeric) RETURNS bool LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE OPERATOR stats_impostors.< (LEFTARG = float8, RIGHTARG = numeric, FUNCTION = stats_impostors.impostor);
CREATE FUNCTION stats_impostors.xtree_preloaded() RETURNS bool LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE FUNCTION stats_impostors.xtree_counted() RETURNS bool LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE FUNCTION stats_impostors.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT (1/0)::text';
CREATE FUNCTION stats_impostors.pg_relation_size(oid) RETURNS int8 LANGUAGE sql AS 'SELECT 1/0::int8';
SET search_path = stats_impostors, pg_catalog, public;
SELECT count(*) FROM public.pg_stat_xtree_indexes WHERE indexrelname LIKE 'stats%xtree';
SELECT count(*) >= 0 FROM public.pg_stat_xtree_pages WHERE suggestion = 'pin';
SELECT preloaded IS NULL FROM public.pg_stat_xtree_memory;
RESET search_path;
DROP SCHEMA stats_impostors CASCADE;

SELECT xtree_check(indexrelid, true), indexrelname FROM pg_stat_xtree_indexes WHERE relname LIKE 'stats%' ORDER BY indexrelname;
DROP FUNCTION stats_reset;
DROP TABLE stats_points, stats_unlogged, stats_temporary, stats_parts;
