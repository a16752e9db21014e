-- What an xtree index is to PostgreSQL: options, kinds of tables and indexes, DDL, scans. Types have files of their own.
\set VERBOSITY default
SET client_min_messages = warning;

-- every operator class passes the access method's own validation
SELECT bool_and(amvalidate(c.oid)) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE amname = 'xtree';
SELECT p, pg_indexam_has_property(oid, p)
  FROM pg_am, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']) p WHERE amname = 'xtree';

-- a table with everything: NULLs, duplicates, several columns
CREATE TABLE places (id int PRIMARY KEY, location point, area box, kind int, price float8, note text);
INSERT INTO places
  SELECT i, CASE WHEN i % 50 <> 0 THEN point(i % 100, i / 100) END, CASE WHEN i % 70 <> 0 THEN box(point(i % 100, i / 100), point(i % 100 + 5, i / 100 + 2)) END,
         CASE WHEN i % 30 <> 0 THEN i % 7 END, CASE WHEN i % 11 <> 0 THEN i / 10.0 END, 'note ' || i
    FROM generate_series(1, 10000) i;
CREATE INDEX places_all ON places USING xtree (location, area, kind, price) INCLUDE (id, note);
VACUUM ANALYZE places;
SELECT xtree_check('places_all', true);
SELECT attname, pg_index_column_has_property(attrelid::regclass, attnum, 'distance_orderable') AS distance_orderable,
       pg_index_column_has_property(attrelid::regclass, attnum, 'returnable') AS returnable
  FROM pg_attribute WHERE attrelid = 'places_all'::regclass ORDER BY attnum;

-- options and their bounds
CREATE INDEX ON places USING xtree (location) WITH (fillfactor = 9);
CREATE INDEX ON places USING xtree (location) WITH (max_overlap = 1.5);
CREATE INDEX ON places USING xtree (location) WITH (min_fanout = 0.6);
CREATE INDEX ON places USING xtree (location) WITH (max_supernode_pages = 0);
CREATE INDEX ON places USING xtree (location) WITH (max_supernode_pages = 65);
CREATE INDEX ON places USING xtree (location) WITH (no_such_option = 1);
CREATE INDEX places_full ON places USING xtree (location) WITH (fillfactor = 100, max_overlap = 0.5, min_fanout = 0.1, max_supernode_pages = 4);
CREATE INDEX places_loose ON places USING xtree (location) WITH (fillfactor = 10);
SELECT pg_relation_size('places_full') < pg_relation_size('places_loose') AS fuller_is_smaller;
ALTER INDEX places_full SET (fillfactor = 101);
ALTER INDEX places_full SET (fillfactor = 50);
SELECT reloptions FROM pg_class WHERE oid = 'places_full'::regclass;
DROP INDEX places_full, places_loose;

-- what it cannot do
CREATE UNIQUE INDEX ON places USING xtree (location);
DO $$  -- from PostgreSQL 19 on the ERROR shows the place
BEGIN
  CREATE INDEX ON places USING xtree (kind DESC);
EXCEPTION WHEN feature_not_supported THEN
  RAISE NOTICE '%', SQLERRM;
END $$;
CREATE INDEX ON places USING xtree ((to_tsvector('simple', note)));
INSERT INTO places (id, location, note) SELECT 0, point(1, 1), string_agg(md5(i::text), '') FROM generate_series(1, 200) i;

-- plans: any subset of the columns, NULL tests, arrays, order, columns without a heap visit
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM places WHERE location <@ box '(10,10),(20,20)' AND kind = 3;
EXPLAIN (COSTS OFF) SELECT id, note FROM places WHERE price BETWEEN 100 AND 110;
EXPLAIN (COSTS OFF) SELECT id FROM places WHERE area IS NULL AND kind IS NOT NULL;
EXPLAIN (COSTS OFF) SELECT id, note FROM places WHERE price BETWEEN 100 AND 110 AND kind = ANY ('{1,3}');
EXPLAIN (COSTS OFF) SELECT id FROM places WHERE kind = 3 ORDER BY location <-> point '(50,50)' LIMIT 3;

-- answers, with the index and without
CREATE TABLE answers (query int, plan text, answer text);
CREATE FUNCTION ask(number int, query text) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE plan text; answer text;
BEGIN
  FOREACH plan IN ARRAY ARRAY['seqscan', 'bitmapscan', 'indexscan', 'indexonlyscan'] LOOP
    PERFORM set_config('enable_' || p, CASE WHEN p = plan THEN 'on' ELSE 'off' END, true)
      FROM unnest(ARRAY['seqscan', 'bitmapscan', 'indexscan', 'indexonlyscan']) p;
    EXECUTE query INTO answer;
    INSERT INTO answers VALUES (number, plan, answer);
  END LOOP;
END $$;
SELECT ask(n, q) FROM (VALUES
  (1, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE location <@ box ''(10,10),(20,20)'''),
  (2, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE location <@ box ''(10,10),(60,60)'' AND area && box ''(30,30),(40,40)'' AND kind = 3 AND price > 300'),
  (3, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE location IS NULL'),
  (4, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE location IS NULL AND area IS NULL'),
  (5, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE location IS NOT NULL AND kind IS NULL'),
  (6, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE kind = ANY (''{1,3,3,NULL,99}'') AND price < 500'),
  (7, 'SELECT count(*)::text || '' '' || coalesce(sum(id)::text, ''-'') FROM places WHERE kind = ANY (''{}'')'),
  (8, 'SELECT count(*)::text || '' '' || coalesce(sum(id)::text, ''-'') FROM places WHERE kind = NULL'),
  (9, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE kind < ANY (''{2,5}'') AND price >= ANY (''{900,950}'')'),
  (10, 'SELECT count(*)::text || '' '' || sum(id) FROM places WHERE kind BETWEEN 2 AND 1000000000000 AND price <= 17'),
  (11, 'SELECT count(*)::text || '' '' || coalesce(sum(id)::text, ''-'') FROM places WHERE kind > 5 AND kind < 3'),
  (12, 'SELECT string_agg(round(d::numeric, 12)::text, '' '') FROM (SELECT location <-> point ''(50.2,50.3)'' AS d FROM places WHERE kind = 2 ORDER BY location <-> point ''(50.2,50.3)'' LIMIT 5) q'),
  (13, 'SELECT string_agg(id::text, '' '') FROM (SELECT id FROM places ORDER BY location <-> point ''(3,4)'', area <-> point ''(90,90)'' LIMIT 4) q'),
  (14, 'SELECT count(*)::text FROM (SELECT location <-> point ''(3,4)'' d, lag(location <-> point ''(3,4)'') OVER () p FROM (SELECT * FROM places ORDER BY location <-> point ''(3,4)'') q) r WHERE d < p'),
  (15, 'SELECT count(*)::text || '' '' || max(note) FROM places WHERE price = 33.3')
) v(n, q);
SELECT query, answer, count(*) AS plans FROM answers GROUP BY query, answer ORDER BY query;
RESET enable_seqscan;

-- more ORDER BY terms than the tree orders by: the executor sorts the ties
CREATE TABLE ties AS SELECT i AS id, point(i % 5, 0) AS p FROM generate_series(1, 100) i;
CREATE INDEX ties_p ON ties USING xtree (p);
SET enable_seqscan = off; SET enable_sort = off;
SELECT 'SELECT string_agg(x::text, '' '') FROM (SELECT DISTINCT ON (n / 20) p[0] AS x FROM (SELECT p, row_number() OVER () - 1 AS n FROM (SELECT p FROM ties ORDER BY '
  || string_agg(format('p <-> point(%s,0)', CASE WHEN i < 40 THEN 2 ELSE 3 END), ', ') || ') a) b) c' AS query FROM generate_series(1, 40) i \gset
:query;
RESET enable_seqscan; RESET enable_sort;
DROP TABLE ties;

-- nested loops rescan; a cursor goes back
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET xtree.enable_lookup_join = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM (VALUES (1, 2), (30, 40)) v(x, y) JOIN places ON location <@ box(point(x, y), point(x + 5, y + 5));
SELECT count(*) FROM (VALUES (1, 2), (30, 40)) v(x, y) JOIN places ON location <@ box(point(x, y), point(x + 5, y + 5));
SELECT x, (SELECT id FROM places ORDER BY location <-> point(x, x) LIMIT 1) FROM generate_series(10, 12) x;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM places WHERE location <@ box '(10,10),(12,10)';
FETCH ALL FROM c;
FETCH BACKWARD 2 FROM c;
COMMIT;
RESET ALL;
SET client_min_messages = warning;

-- writes, rollbacks, VACUUM
BEGIN;
SAVEPOINT s;
INSERT INTO places (id, location) SELECT i, point(1000, i) FROM generate_series(20001, 20500) i;
ROLLBACK TO s;
INSERT INTO places (id, location) SELECT i, point(1000, i) FROM generate_series(20001, 20100) i;
COMMIT;
UPDATE places SET location = location + point(0, 1000) WHERE id <= 3000;
DELETE FROM places WHERE id BETWEEN 4000 AND 7000;
SELECT xtree_check('places_all', true);
VACUUM places;
SELECT xtree_check('places_all', true);
INSERT INTO places (id, location, kind) SELECT i, point(i % 13, i % 17), 1 FROM generate_series(30001, 35000) i;
VACUUM (INDEX_CLEANUP off) places;
SELECT xtree_check('places_all', true);
VACUUM FULL places;
SELECT xtree_check('places_all', true);
REINDEX INDEX places_all;
REINDEX INDEX CONCURRENTLY places_all;
CLUSTER places USING places_all;
SELECT xtree_check('places_all', true);
SELECT level, nodes > 0 AS nodes, entries > 0 AS entries, fill BETWEEN 0 AND 1 AS fill, overlap BETWEEN 0 AND 1 AS overlap, format_version, build_state, dimensions
  FROM xtree_index_info('places_all');
SELECT sum(entries) = (SELECT count(*) FROM places) AS leaf_entries_are_rows, bool_and(array_length(lower, 1) = 6) AS six_dimensions
  FROM xtree_nodes('places_all') WHERE level = 0;
SELECT count(*) FILTER (WHERE parent IS NULL) AS roots, bool_and(level >= 0) FROM xtree_nodes('places_all');
TRUNCATE places;
SELECT count(*) FROM places WHERE location <@ box '(0,0),(2000,2000)';
INSERT INTO places (id, location) VALUES (1, '(1,1)');
SELECT xtree_check('places_all', true);

-- empty table, one row, only NULLs
CREATE TABLE small (p point, k int);
CREATE INDEX small_index ON small USING xtree (p, k);
SET enable_seqscan = off;
SELECT count(*) FROM small WHERE p <@ box '(0,0),(1,1)';
SELECT * FROM small ORDER BY p <-> point '(0,0)';
INSERT INTO small VALUES (NULL, NULL), (NULL, NULL);
SELECT count(*) FROM small WHERE p IS NULL AND k IS NULL;
SELECT count(*) FROM small WHERE p IS NOT NULL;
SELECT xtree_check('small_index', true);
SELECT level, entries, build_state FROM xtree_index_info('small_index');
SELECT * FROM xtree_nodes('small_index');
RESET enable_seqscan;

-- partial, expression, concurrently, unlogged, temporary, partitioned
CREATE TABLE kinds (id int, x float8, y float8, k int);
INSERT INTO kinds SELECT i, sin(i) * 100, cos(i) * 100, i % 10 FROM generate_series(1, 5000) i;
CREATE INDEX kinds_partial ON kinds USING xtree (x, y) WHERE k = 3;
CREATE INDEX kinds_expression ON kinds USING xtree (point(x, y), (k * 2));
CREATE INDEX CONCURRENTLY kinds_concurrent ON kinds USING xtree (k, x);
INSERT INTO kinds SELECT i, sin(i) * 100, cos(i) * 100, i % 10 FROM generate_series(5001, 6000) i;
ANALYZE kinds;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM kinds WHERE k = 3 AND x BETWEEN 0 AND 10 AND y > 0;
SELECT count(*) FROM kinds WHERE k = 3 AND x BETWEEN 0 AND 10 AND y > 0;
EXPLAIN (COSTS OFF) SELECT count(*) FROM kinds WHERE point(x, y) <@ box '(0,0),(50,100)' AND k * 2 = 4;
SELECT count(*) FROM kinds WHERE point(x, y) <@ box '(0,0),(50,100)' AND k * 2 = 4;
SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
SELECT count(*) FROM kinds WHERE k = 3 AND x BETWEEN 0 AND 10 AND y > 0;
SELECT count(*) FROM kinds WHERE point(x, y) <@ box '(0,0),(50,100)' AND k * 2 = 4;
RESET enable_seqscan; RESET enable_indexscan; RESET enable_bitmapscan; RESET enable_indexonlyscan;
SELECT xtree_check('kinds_partial', true), xtree_check('kinds_expression', true), xtree_check('kinds_concurrent', true);
CREATE UNLOGGED TABLE unlogged_points AS SELECT i AS id, point(i, i) AS p FROM generate_series(1, 3000) i;
CREATE INDEX unlogged_index ON unlogged_points USING xtree (p);
INSERT INTO unlogged_points SELECT i, point(i, -i) FROM generate_series(1, 3000) i;
DELETE FROM unlogged_points WHERE id < 1000;
VACUUM unlogged_points;
SELECT xtree_check('unlogged_index', true);
CREATE TEMP TABLE temporary_points AS SELECT i AS id, point(i, i) AS p FROM generate_series(1, 3000) i;
CREATE INDEX temporary_index ON temporary_points USING xtree (p);
INSERT INTO temporary_points SELECT i, point(i, -i) FROM generate_series(1, 3000) i;
SELECT xtree_check('temporary_index', true);
CREATE TABLE parted (id int, p point, k int) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE INDEX parted_index ON parted USING xtree (p, k);
INSERT INTO parted SELECT i, point(i, i), i % 2 + 1 FROM generate_series(1, 2000) i;
SELECT count(*) FROM parted WHERE p <@ box '(100,100),(199,199)';
SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indrelid IN ('parted_1'::regclass, 'parted_2'::regclass);
SELECT xtree_check('parted_index');

-- an exclusion constraint
CREATE TABLE rooms (room int, area box, EXCLUDE USING xtree (room WITH =, area WITH &&));
INSERT INTO rooms VALUES (1, '(0,0),(1,1)'), (1, '(2,2),(3,3)'), (2, '(0,0),(1,1)');
INSERT INTO rooms VALUES (1, '(2.5,2.5),(2.6,2.6)');
SELECT xtree_check('rooms_room_area_excl', true);

-- the inspection functions are for the owner and for xtree indexes
CREATE INDEX places_btree ON places (kind);
SELECT xtree_check('places_btree');
SELECT xtree_check('places');
SELECT xtree_check(0);
CREATE ROLE regress_xtree_reader;
GRANT SELECT ON places TO regress_xtree_reader;
SET ROLE regress_xtree_reader;
SELECT xtree_check('places_all');
SELECT * FROM xtree_nodes('places_all');
SELECT * FROM xtree_index_info('places_all');
RESET ROLE;
REVOKE SELECT ON places FROM regress_xtree_reader;
DROP ROLE regress_xtree_reader;

-- index expressions run as the table's owner, whoever checks
CREATE ROLE regress_xtree_owner;
CREATE TABLE owned (id int);
INSERT INTO owned VALUES (1);
CREATE FUNCTION who(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'running as %', current_user; RETURN i; END $$;
ALTER TABLE owned OWNER TO regress_xtree_owner;
GRANT CREATE ON SCHEMA public TO regress_xtree_owner;
CREATE INDEX owned_who ON owned USING xtree (who(id));
SELECT xtree_check('owned_who', true);
DROP TABLE owned;
DROP FUNCTION who;
REVOKE CREATE ON SCHEMA public FROM regress_xtree_owner;
DROP ROLE regress_xtree_owner;

DROP TABLE places, answers, small, kinds, unlogged_points, temporary_points, parted, rooms;
DROP FUNCTION ask;
