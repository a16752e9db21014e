-- Deferred builds: what an unbuilt index is, how it is built, and what becomes of it under every command that gives it a new file.
-- Seen to fail: with rewrites that always build and with rewrites that never do (state after CLUSTER); with 0 instead of -1 as the number of
-- the table's rows (its statistics).
LOAD 'xtree';
SET xtree.build_on_first_use = off;  -- with shared_preload_libraries as without
CREATE TABLE deferred_points (id int PRIMARY KEY, p point, k int);
INSERT INTO deferred_points SELECT i, point(i % 100, i / 100), i % 10 FROM generate_series(1, 10000) i;
ANALYZE deferred_points;
SELECT reltuples FROM pg_class WHERE relname = 'deferred_points';

CREATE FUNCTION deferred_state(index regclass) RETURNS text LANGUAGE sql AS
  $$ SELECT string_agg(DISTINCT build_state || coalesce(' with ' || entries || ' entries', ''), ', ') FROM xtree_index_info(index) WHERE coalesce(level, 0) = 0 $$;
CREATE FUNCTION deferred_uses(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line ~ 'Scan' THEN RETURN regexp_replace(line, '^[ >-]*', ''); END IF;
  END LOOP;
END $$;

-- CREATE INDEX writes one page and leaves the table's statistics alone
CREATE INDEX deferred_xtree ON deferred_points USING xtree (p, k) WITH (build = deferred);
SELECT pg_relation_size('deferred_xtree') / current_setting('block_size')::int AS pages, deferred_state('deferred_xtree');
SELECT reltuples, relhasindex FROM pg_class WHERE relname = 'deferred_points';
SELECT reltuples FROM pg_class WHERE relname = 'deferred_xtree';
SELECT indisvalid, indisready, indcheckxmin FROM pg_index WHERE indexrelid = 'deferred_xtree'::regclass;
SELECT pg_get_indexdef('deferred_xtree'::regclass);

-- no plan uses it, whatever is disabled
SELECT deferred_uses('SELECT * FROM deferred_points WHERE p <@ box ''(10,10),(12,12)''');
SET enable_seqscan = off;
SELECT deferred_uses('SELECT * FROM deferred_points WHERE p <@ box ''(10,10),(12,12)''');
SELECT deferred_uses('SELECT * FROM deferred_points ORDER BY p <-> point ''(3,3)'' LIMIT 1');
SELECT count(*) FROM deferred_points WHERE p <@ box '(10,10),(12,12)';
-- what gets there past the planner is refused
CLUSTER deferred_points USING deferred_xtree;
SELECT xtree_check('deferred_xtree', true);
SELECT count(*) FROM xtree_nodes('deferred_xtree');
SELECT * FROM xtree_index_info('deferred_xtree');
SELECT state, is_built, is_stale, entries, distinct_keys, rows_per_key FROM pg_stat_xtree_indexes WHERE indexrelname = 'deferred_xtree';
-- writers, VACUUM and ANALYZE pass it by
INSERT INTO deferred_points SELECT i, point(i % 100, i / 100), i % 10 FROM generate_series(10001, 11000) i;
UPDATE deferred_points SET p = p + point '(0,1)' WHERE id % 50 = 0;
DELETE FROM deferred_points WHERE id % 50 = 1;
VACUUM ANALYZE deferred_points;
SELECT pg_relation_size('deferred_xtree') / current_setting('block_size')::int AS pages, deferred_state('deferred_xtree');

SELECT state, is_built, is_stale, entries, distinct_keys, rows_per_key FROM pg_stat_xtree_indexes WHERE indexrelname = 'deferred_xtree';

-- a plan of before is made anew when the index is built
PREPARE window_count AS SELECT count(*) FROM deferred_points WHERE p <@ box '(10,10),(12,12)';
EXECUTE window_count;
CALL xtree_build('deferred_xtree');
EXECUTE window_count;
SELECT deferred_uses('EXECUTE window_count');
SELECT deferred_uses('SELECT * FROM deferred_points ORDER BY p <-> point ''(3,3)'' LIMIT 1');
SELECT deferred_state('deferred_xtree'), reltuples FROM pg_class WHERE relname = 'deferred_xtree';
SELECT reltuples FROM pg_class WHERE relname = 'deferred_points';
SELECT xtree_check('deferred_xtree', true);
-- an estimate: within ten percent
SELECT state IN ('registered', 'loading', 'loaded') AS usable, is_built, is_stale, entries, abs(1 - distinct_keys / (SELECT count(DISTINCT (p::text, k))::float8 FROM deferred_points)) < 0.1 AS distinct_keys,
       abs(rows_per_key - entries / distinct_keys::float8) < 0.001 AS rows_per_key
  FROM pg_stat_xtree_indexes WHERE indexrelname = 'deferred_xtree';
CREATE INDEX deferred_few ON deferred_points USING xtree (k);
SELECT indexes >= built AS indexes, unbuilt, stale, (SELECT distinct_keys FROM pg_stat_xtree_indexes WHERE indexrelname = 'deferred_few') AS few
  FROM pg_stat_xtree_builds;
DROP INDEX deferred_few;
CALL xtree_build('deferred_xtree');
INSERT INTO deferred_points SELECT i, point(i % 100, i / 100), i % 10 FROM generate_series(11001, 12000) i;
SELECT xtree_check('deferred_xtree', true), deferred_state('deferred_xtree');

-- parallel workers help
ALTER TABLE deferred_points SET (parallel_workers = 2);
SET maintenance_work_mem = '96MB';
CREATE INDEX deferred_parallel ON deferred_points USING xtree (p, id) WITH (build = deferred);
CALL xtree_build('deferred_parallel');
SELECT deferred_state('deferred_parallel'), xtree_check('deferred_parallel', true);
DROP INDEX deferred_parallel;
RESET maintenance_work_mem;
ALTER TABLE deferred_points RESET (parallel_workers);

-- REINDEX builds, in all forms; an empty table's index stays unbuilt
CREATE TABLE deferred_reindex AS SELECT * FROM deferred_points;
CREATE INDEX deferred_reindex_a ON deferred_reindex USING xtree (p) WITH (build = deferred);
CREATE INDEX deferred_reindex_b ON deferred_reindex USING xtree (k) WITH (build = deferred);
CREATE INDEX deferred_reindex_c ON deferred_reindex USING xtree (k, p) WITH (build = deferred);
REINDEX INDEX deferred_reindex_a;
SELECT deferred_state('deferred_reindex_a');
REINDEX INDEX CONCURRENTLY deferred_reindex_b;
SELECT deferred_state('deferred_reindex_b');
REINDEX TABLE deferred_reindex;
SELECT deferred_state('deferred_reindex_c');
TRUNCATE deferred_reindex;
SELECT deferred_state('deferred_reindex_a'), deferred_state('deferred_reindex_b'), deferred_state('deferred_reindex_c');
REINDEX TABLE deferred_reindex;
SELECT deferred_state('deferred_reindex_a');
INSERT INTO deferred_reindex SELECT * FROM deferred_points;
REINDEX TABLE CONCURRENTLY deferred_reindex;
SELECT deferred_state('deferred_reindex_a'), deferred_state('deferred_reindex_b'), deferred_state('deferred_reindex_c');
SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indrelid = 'deferred_reindex'::regclass;
-- also in the transaction that filled the table, and within a function
BEGIN;
TRUNCATE deferred_reindex;
SELECT deferred_state('deferred_reindex_a');
INSERT INTO deferred_reindex SELECT * FROM deferred_points;
SELECT deferred_state('deferred_reindex_a');
REINDEX INDEX deferred_reindex_a;
DO $$ BEGIN REINDEX INDEX deferred_reindex_b; END $$;
SELECT deferred_state('deferred_reindex_a'), deferred_state('deferred_reindex_b'), deferred_state('deferred_reindex_c');
ROLLBACK;
SELECT deferred_state('deferred_reindex_a'), deferred_state('deferred_reindex_b'), deferred_state('deferred_reindex_c');

-- what rewrites the table leaves each index as it was
CREATE TABLE deferred_rewrite AS SELECT * FROM deferred_points;
CREATE INDEX deferred_rewrite_id ON deferred_rewrite (id);
CREATE INDEX deferred_rewrite_a ON deferred_rewrite USING xtree (p) WITH (build = deferred);
CREATE INDEX deferred_rewrite_b ON deferred_rewrite USING xtree (p, k) WITH (build = deferred);
CREATE INDEX deferred_rewrite_c ON deferred_rewrite USING xtree (k) WITH (build = deferred);
CALL xtree_build('deferred_rewrite_a');
CLUSTER deferred_rewrite USING deferred_rewrite_id;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b');
VACUUM FULL deferred_rewrite;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b');
ALTER TABLE deferred_rewrite ADD COLUMN filled float8 DEFAULT random();
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b');
-- twice in a transaction, and with a failed part in between
BEGIN;
ALTER TABLE deferred_rewrite ADD COLUMN more float8 DEFAULT random();
SAVEPOINT s;
REINDEX INDEX deferred_rewrite_b;
SELECT deferred_state('deferred_rewrite_b');
ROLLBACK TO s;
SELECT deferred_state('deferred_rewrite_b');
CLUSTER deferred_rewrite;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b');
REINDEX INDEX deferred_rewrite_b;
CLUSTER deferred_rewrite;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b');
COMMIT;
SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indexrelid::regclass::text IN ('deferred_rewrite_a', 'deferred_rewrite_b');
CLUSTER deferred_rewrite USING deferred_rewrite_b;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b'), deferred_state('deferred_rewrite_c');
ALTER TABLE deferred_rewrite SET UNLOGGED;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b'), deferred_state('deferred_rewrite_c');
CALL xtree_build('deferred_rewrite_c');
ALTER TABLE deferred_rewrite SET LOGGED;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b'), deferred_state('deferred_rewrite_c');
-- an indexed column of another type is another index
ALTER TABLE deferred_rewrite ALTER COLUMN k TYPE int8;
SELECT deferred_state('deferred_rewrite_a'), deferred_state('deferred_rewrite_b'), deferred_state('deferred_rewrite_c');
SELECT xtree_check('deferred_rewrite_a', true);

-- CREATE INDEX CONCURRENTLY defers as well
CREATE INDEX CONCURRENTLY deferred_concurrent ON deferred_points USING xtree (k) WITH (build = deferred);
SELECT deferred_state('deferred_concurrent'), indisvalid FROM pg_index WHERE indexrelid = 'deferred_concurrent'::regclass;
SELECT is_stale FROM pg_stat_xtree_indexes WHERE indexrelname = 'deferred_concurrent';

-- the option says what happens next time
ALTER INDEX deferred_concurrent SET (build = immediate);
SELECT deferred_state('deferred_concurrent');
VACUUM FULL deferred_points;
SELECT deferred_state('deferred_concurrent'), deferred_state('deferred_xtree');
ALTER INDEX deferred_concurrent SET (build = deferred);
SELECT deferred_state('deferred_concurrent');
ALTER INDEX deferred_concurrent RESET (build);
TRUNCATE deferred_reindex;
ALTER INDEX deferred_concurrent SET (build = lazily);
CREATE INDEX ON deferred_points USING xtree (k) WITH (build = '');

-- partitions
CREATE TABLE deferred_parts (p point, k int) PARTITION BY LIST (k);
CREATE TABLE deferred_part1 PARTITION OF deferred_parts FOR VALUES IN (1);
INSERT INTO deferred_parts SELECT p, k FROM deferred_points WHERE k = 1;
CREATE INDEX deferred_parts_xtree ON deferred_parts USING xtree (p) WITH (build = deferred);
CREATE TABLE deferred_part2 PARTITION OF deferred_parts FOR VALUES IN (2);
CREATE TABLE deferred_part3 AS SELECT p, k FROM deferred_points WHERE k = 3;
ALTER TABLE deferred_parts ATTACH PARTITION deferred_part3 FOR VALUES IN (3);
SELECT relid, deferred_state(relid) FROM pg_partition_tree('deferred_parts_xtree') WHERE isleaf ORDER BY relid::text;
INSERT INTO deferred_parts SELECT p, k FROM deferred_points WHERE k = 2;
CALL xtree_build('deferred_parts_xtree');
SELECT relid, deferred_state(relid), xtree_check(relid, true) FROM pg_partition_tree('deferred_parts_xtree') WHERE isleaf ORDER BY relid::text;

-- expressions, predicates, INCLUDE, NULLs, tables without rows, unlogged tables
CREATE TABLE deferred_kinds (id int, x float8, t text);
INSERT INTO deferred_kinds SELECT i, nullif(i % 7, 0), 'text ' || i FROM generate_series(1, 2000) i;
CREATE INDEX deferred_kinds_a ON deferred_kinds USING xtree ((x * 2), id) INCLUDE (t) WITH (build = deferred) WHERE id % 3 = 0;
CREATE UNLOGGED TABLE deferred_unlogged AS SELECT * FROM deferred_kinds;
CREATE INDEX deferred_unlogged_x ON deferred_unlogged USING xtree (x, id) WITH (build = deferred);
CREATE TABLE deferred_empty (x float8);
CREATE INDEX deferred_empty_x ON deferred_empty USING xtree (x) WITH (build = deferred);
CALL xtree_build('deferred_kinds_a');
CALL xtree_build('deferred_unlogged_x');
CALL xtree_build('deferred_empty_x');
INSERT INTO deferred_empty VALUES (1);
SELECT xtree_check(i, true), deferred_state(i) FROM unnest('{deferred_kinds_a,deferred_unlogged_x,deferred_empty_x}'::regclass[]) i;
SELECT count(*) FROM deferred_kinds WHERE x * 2 = 6 AND id < 100 AND id % 3 = 0;
SELECT count(*) FROM deferred_unlogged WHERE x = 3 AND id < 100;

-- built at once whatever the option says
CREATE TEMP TABLE deferred_temporary AS SELECT * FROM deferred_kinds;
CREATE INDEX deferred_temporary_x ON deferred_temporary USING xtree (x) WITH (build = deferred);
CREATE TABLE deferred_excluded (area box, EXCLUDE USING xtree (area WITH &&) WITH (build = deferred));
INSERT INTO deferred_excluded VALUES ('(0,0),(1,1)');
INSERT INTO deferred_excluded VALUES ('(0,0),(2,2)');
SELECT deferred_state('deferred_temporary_x'), deferred_state('deferred_excluded_area_excl');

-- errors: an expression that fails at CREATE does so when the index is built, and the index stays as it was
CREATE FUNCTION deferred_divide(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 100 / ($1 - 1000); END $$;
CREATE INDEX deferred_failing ON deferred_kinds USING xtree (deferred_divide(id)) WITH (build = deferred);
CALL xtree_build('deferred_failing');
SELECT deferred_state('deferred_failing');
SELECT count(*) FROM deferred_kinds WHERE deferred_divide(id) = 3;
DELETE FROM deferred_kinds WHERE id = 1000;
CALL xtree_build('deferred_failing');
SELECT deferred_state('deferred_failing'), xtree_check('deferred_failing', true);
-- errors: where it may be called, for what, and by whom
CALL xtree_build(NULL);
CALL xtree_build('no_such_index');
CALL xtree_build('deferred_points');
CALL xtree_build('deferred_points_pkey');
CALL xtree_build('deferred_temporary_x');
BEGIN;
CALL xtree_build('deferred_xtree');
ROLLBACK;
DO $$ BEGIN CALL xtree_build('deferred_xtree'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
CREATE ROLE regress_xtree_builder;
SET ROLE regress_xtree_builder;
CALL xtree_build('deferred_xtree');
CALL xtree_build('deferred_parts_xtree');
RESET ROLE;
ALTER TABLE deferred_empty OWNER TO regress_xtree_builder;
TRUNCATE deferred_empty;
SET ROLE regress_xtree_builder;
CALL xtree_build('deferred_empty_x');
RESET ROLE;
SELECT deferred_state('deferred_empty_x');
SET default_transaction_read_only = on;
CALL xtree_build('deferred_xtree');
RESET default_transaction_read_only;
-- within a procedure that is not in a transaction block
CREATE INDEX deferred_later ON deferred_points USING xtree (id) WITH (build = deferred);
DO $$ BEGIN CALL xtree_build('deferred_later'); END $$;
SELECT deferred_state('deferred_later'), xtree_check('deferred_later', true);

SELECT xtree_check(indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
 WHERE relkind = 'i' AND relname LIKE 'deferred%' AND CASE WHEN amname = 'xtree' THEN deferred_state(c.oid::regclass) LIKE 'built%' END;
RESET enable_seqscan;
DROP TABLE deferred_points, deferred_reindex, deferred_rewrite, deferred_parts, deferred_kinds, deferred_unlogged, deferred_empty, deferred_temporary,
  deferred_excluded;
DROP FUNCTION deferred_state, deferred_uses, deferred_divide;
DROP ROLE regress_xtree_builder;
