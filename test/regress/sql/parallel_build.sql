-- Indexes built by several processes hold every row exactly once, whatever kind of index and table. That workers take part is shown by
-- test/t/005_parallel_build.pl; here the tables ask for them, and how many come does not matter for the answers.
SET client_min_messages = warning;
SET max_parallel_maintenance_workers = 2;
SET min_parallel_table_scan_size = 0;

CREATE TABLE built (id int, location point, area box, kind int, price float8, note text) WITH (parallel_workers = 2);
INSERT INTO built
  SELECT i, CASE WHEN i % 50 <> 0 THEN point(i::bigint * 7919 % 1000, i::bigint * 104729 % 997) END,
         CASE WHEN i % 70 <> 0 THEN box(point(i::bigint * 7919 % 1000, i % 997), point(i::bigint * 7919 % 1000 + 5, i % 997 + 2)) END,
         CASE WHEN i % 30 <> 0 THEN i % 7 END, CASE WHEN i % 11 <> 0 THEN i * 31 % 9973 / 10.0 END, repeat('x', i % 13) || i
    FROM generate_series(1, 60000) i;
-- chains of row versions, dead rows and pages of dead rows
UPDATE built SET price = price + 0.5 WHERE id % 5 = 0;
DELETE FROM built WHERE id % 9 = 0 OR id BETWEEN 20000 AND 24000;
ANALYZE built;

-- what a table and its index answer
CREATE FUNCTION asked(conditions text) RETURNS TABLE (answers_agree bool, rows bigint) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE by_table text; by_index text;
BEGIN
  PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_indexscan', 'off', true),
          set_config('enable_indexonlyscan', 'off', true);
  EXECUTE 'SELECT count(*), md5(string_agg(id::text, '','' ORDER BY id)) FROM built WHERE ' || conditions INTO rows, by_table;
  PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'on', true), set_config('enable_indexscan', 'on', true);
  EXECUTE 'SELECT md5(string_agg(id::text, '','' ORDER BY id)) FROM built WHERE ' || conditions INTO by_index;
  answers_agree := by_table IS NOT DISTINCT FROM by_index;
  RETURN NEXT;
END $$;

-- in memory: several columns, NULLs, INCLUDE
CREATE INDEX built_all ON built USING xtree (location, area, kind, price) INCLUDE (id, note);
SELECT xtree_check('built_all', true);
SELECT asked($$location <@ box '(100,100),(300,250)'$$);
SELECT asked($$area && box '(100,100),(110,120)' AND kind = 3$$);
SELECT asked($$location IS NULL AND price > 900$$);
SET enable_seqscan = off;
SELECT count(*), min(note), max(id) FROM built WHERE location <@ box '(100,100),(300,250)' AND price < 500;
SET enable_seqscan = on;
SELECT count(*), min(note), max(id) FROM built WHERE location <@ box '(100,100),(300,250)' AND price < 500;

-- the same tree, to a few pages, as one process builds
SET max_parallel_maintenance_workers = 0;
CREATE INDEX built_serially ON built USING xtree (location, area, kind, price) INCLUDE (id, note);
SET max_parallel_maintenance_workers = 2;
SELECT abs(a.pages - b.pages) <= b.pages / 20 AS as_large, a.entries = b.entries AS as_many_rows
  FROM xtree_index_info('built_all') a, xtree_index_info('built_serially') b WHERE a.level = 0 AND b.level = 0;
DROP INDEX built_all, built_serially;

-- through temporary files, within the least memory
SET maintenance_work_mem = '3MB';
CREATE INDEX built_all ON built USING xtree (location, area, kind, price) INCLUDE (id, note);
SELECT xtree_check('built_all', true);
SELECT asked($$location <@ box '(100,100),(300,250)'$$);
REINDEX INDEX built_all;
SELECT xtree_check('built_all', true);
REINDEX INDEX CONCURRENTLY built_all;
SELECT xtree_check('built_all', true);
DROP INDEX built_all;
-- too little for two
SET maintenance_work_mem = '1MB';
CREATE INDEX built_all ON built USING xtree (location, kind);
SELECT xtree_check('built_all', true);
DROP INDEX built_all;
RESET maintenance_work_mem;

-- while others write; part of the rows; an expression, parallel safe or not
CREATE INDEX CONCURRENTLY built_concurrently ON built USING xtree (location);
SELECT xtree_check('built_concurrently', true);
SELECT asked($$location <@ box '(100,100),(300,250)'$$);
CREATE INDEX built_part ON built USING xtree (area, price) WHERE kind = 3;
SELECT xtree_check('built_part', true);
SELECT asked($$area && box '(100,100),(200,200)' AND kind = 3$$);
CREATE FUNCTION twice(float8) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS 'BEGIN RETURN $1 * 2; END';
CREATE FUNCTION thrice(float8) RETURNS float8 IMMUTABLE PARALLEL UNSAFE LANGUAGE plpgsql AS 'BEGIN RETURN $1 * 3; END';
CREATE INDEX built_twice ON built USING xtree (twice(price));
CREATE INDEX built_thrice ON built USING xtree (thrice(price), kind);
SELECT xtree_check('built_twice', true), xtree_check('built_thrice', true);
SELECT asked($$twice(price) BETWEEN 200 AND 240$$);
SELECT asked($$thrice(price) BETWEEN 200 AND 240$$);

-- an error in any process leaves no index
CREATE FUNCTION refuse(int) RETURNS int IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS
  $$BEGIN IF $1 = 59999 THEN RAISE 'refused'; END IF; RETURN $1; END$$;
\set VERBOSITY sqlstate
CREATE INDEX built_refused ON built USING xtree (refuse(id));
\set VERBOSITY default
SELECT count(*) FROM pg_class WHERE relname = 'built_refused';
-- nor ends it more than its subtransaction
DO $$
BEGIN
  CREATE INDEX built_refused ON built USING xtree (refuse(id));
EXCEPTION WHEN raise_exception THEN
  CREATE INDEX built_accepted ON built USING xtree (location, kind);
END $$;
SELECT xtree_check('built_accepted', true);
DROP INDEX built_accepted;
-- a predicate that no row fulfils; an exclusion constraint; a table that is written anew
CREATE INDEX built_none ON built USING xtree (location) WHERE kind = 77;
SELECT xtree_check('built_none', true);
CREATE INDEX built_nulls ON built USING xtree (price, kind) WHERE price IS NULL AND kind IS NULL;
SELECT xtree_check('built_nulls', true);
ALTER TABLE built ADD CONSTRAINT built_distinct EXCLUDE USING xtree (id WITH =);
SELECT xtree_check('built_distinct', true);
\set VERBOSITY sqlstate
ALTER TABLE built ADD CONSTRAINT built_kinds EXCLUDE USING xtree (kind WITH =);
\set VERBOSITY default
VACUUM FULL built;
SELECT xtree_check('built_none', true), xtree_check('built_nulls', true), xtree_check('built_distinct', true), xtree_check('built_part', true);
SELECT asked($$location <@ box '(100,100),(300,250)'$$);
ALTER TABLE built DROP CONSTRAINT built_distinct;
DROP INDEX built_none, built_nulls;

-- a table of this transaction, one without WAL, one of this session, none and few rows, one place only
BEGIN;
CREATE TABLE built_here (id int, location point) WITH (parallel_workers = 2);
INSERT INTO built_here SELECT id, location FROM built;
CREATE INDEX built_here_location ON built_here USING xtree (location);
SELECT xtree_check('built_here_location', true);
SAVEPOINT s;
CREATE INDEX built_here_again ON built_here USING xtree (location, id);
ROLLBACK TO s;
CREATE INDEX built_here_again ON built_here USING xtree (id);
COMMIT;
SELECT xtree_check('built_here_location', true), xtree_check('built_here_again', true);
CREATE UNLOGGED TABLE built_unlogged (LIKE built) WITH (parallel_workers = 2);
INSERT INTO built_unlogged SELECT * FROM built;
CREATE INDEX built_unlogged_all ON built_unlogged USING xtree (location, price);
SELECT xtree_check('built_unlogged_all', true);
CREATE TEMPORARY TABLE built_temporary (LIKE built) WITH (parallel_workers = 2);
INSERT INTO built_temporary SELECT * FROM built;
CREATE INDEX built_temporary_all ON built_temporary USING xtree (location, price);
SELECT xtree_check('built_temporary_all', true);
CREATE TABLE built_small (id int, location point) WITH (parallel_workers = 2);
CREATE INDEX built_small_empty ON built_small USING xtree (location);
INSERT INTO built_small VALUES (1, '(1,1)'), (2, NULL);
CREATE INDEX built_small_few ON built_small USING xtree (location);
INSERT INTO built_small SELECT i, '(5,5)' FROM generate_series(3, 30000) i;
CREATE INDEX built_small_place ON built_small USING xtree (location);
INSERT INTO built_small VALUES (30001, '(1,1)');
DELETE FROM built_small WHERE id < 29000;
VACUUM built_small;
SELECT xtree_check('built_small_empty', true), xtree_check('built_small_few', true), xtree_check('built_small_place', true);

-- inserts, deletions and VACUUM go on in what was built
INSERT INTO built SELECT id + 100000, location, area, kind, price, note FROM built WHERE id % 2 = 0;
DELETE FROM built WHERE id % 3 = 0;
VACUUM built;
SELECT xtree_check('built_concurrently', true), xtree_check('built_part', true), xtree_check('built_twice', true);
SELECT asked($$location <@ box '(100,100),(300,250)'$$);

DROP TABLE built, built_here, built_unlogged, built_temporary, built_small;
DROP FUNCTION asked, twice, thrice, refuse;
