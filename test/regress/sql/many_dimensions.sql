-- Plans for keys of many dimensions: the index is taken where it reads a few of its leaves, and left where a B-tree or the table is better.
-- Seen to fail: with the sides of a window and of a leaf added up (another plan for windows in 24 dimensions).
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS cube;
CREATE EXTENSION IF NOT EXISTS xtree_cube;
SET max_parallel_workers_per_gather = 0;
-- coordinates of 0 to 1, independent and uniform, which is the worst case
CREATE FUNCTION coordinates(i int, dims int, seed int) RETURNS float8[] IMMUTABLE LANGUAGE sql AS $$
  SELECT array_agg(abs(hashint8(i::int8 * 1000 + d + seed * 100000000::int8) % 100003) / 100003.0::float8 ORDER BY d) FROM generate_series(1, dims) d $$;
CREATE TABLE wide (id int, tenant int, c4 cube, c8 cube, c12 cube, c24 cube, v12 real[], v24 float8[]);
INSERT INTO wide SELECT i, i % 100, cube(coordinates(i, 4, 1)), cube(coordinates(i, 8, 2)), cube(coordinates(i, 12, 3)), cube(coordinates(i, 24, 4)),
    coordinates(i, 12, 5)::real[], coordinates(i, 24, 6)
  FROM generate_series(1, 20000) i;
CREATE INDEX wide_c4 ON wide USING xtree (c4);
CREATE INDEX wide_c8 ON wide USING xtree (c8);
CREATE INDEX wide_c12 ON wide USING xtree (c12);
CREATE INDEX wide_c24 ON wide USING xtree (c24);
CREATE INDEX wide_v12 ON wide USING xtree (v12);
CREATE INDEX wide_v24 ON wide USING xtree (v24);
VACUUM ANALYZE wide;

CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    line := substring(line from '(Seq Scan|Index Scan using \w+|Bitmap Index Scan on \w+|Index Only Scan using \w+)');
    IF line IS NOT NULL THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;

-- windows around a row
SELECT plan(format('SELECT id FROM wide WHERE c4 <@ %L', cube_enlarge(c4, .1, 4))) FROM wide WHERE id = 77;
SELECT plan(format('SELECT id FROM wide WHERE c8 <@ %L', cube_enlarge(c8, .2, 8))) FROM wide WHERE id = 77;
SELECT plan(format('SELECT id FROM wide WHERE c12 <@ %L', cube_enlarge(c12, .3, 12))) FROM wide WHERE id = 77;
SELECT plan(format('SELECT id FROM wide WHERE c24 <@ %L', cube_enlarge(c24, .3, 24))) FROM wide WHERE id = 77;
SELECT plan(format('SELECT id FROM wide WHERE v12 <@ %L::xtree_window', ROW(ARRAY(SELECT x - .3 FROM unnest(v12) x), ARRAY(SELECT x + .3 FROM unnest(v12) x))))
  FROM wide WHERE id = 77;
SELECT plan(format('SELECT id FROM wide WHERE v24 <@ %L::xtree_window', ROW(ARRAY(SELECT x - .3 FROM unnest(v24) x), ARRAY(SELECT x + .3 FROM unnest(v24) x))))
  FROM wide WHERE id = 77;
-- of another table's row
SET xtree.enable_lookup_join = off;
SELECT plan('SELECT w.id FROM (SELECT c12 FROM wide WHERE id = 77 OFFSET 0) q, wide w WHERE w.c12 <@ cube_enlarge(q.c12, .3, 12)');

-- a column beside: both conditions, or the wide one alone, by the index; the narrow one alone is a matter for a B-tree, or for the table
DROP INDEX wide_c12, wide_c24;
CREATE INDEX wide_tenant_c12 ON wide USING xtree (tenant, c12);
CREATE INDEX wide_tenant_c24 ON wide USING xtree (tenant, c24);
ANALYZE wide;
SELECT plan(format('SELECT id FROM wide WHERE tenant = 7 AND c12 <@ %L', cube_enlarge(c12, .3, 12))) FROM wide WHERE id = 77;
SELECT plan(format('SELECT id FROM wide WHERE tenant = 7 AND c24 <@ %L', cube_enlarge(c24, .3, 24))) FROM wide WHERE id = 77;
SELECT plan(format('SELECT id FROM wide WHERE c12 <@ %L', cube_enlarge(c12, .3, 12))) FROM wide WHERE id = 77;
SELECT plan('SELECT id FROM wide WHERE tenant >= 0');
DROP INDEX wide_tenant_c12;
SELECT plan('SELECT id FROM wide WHERE tenant = 7');
CREATE INDEX wide_tenant ON wide (tenant);
SELECT plan('SELECT id FROM wide WHERE tenant = 7');
-- a B-tree on the column that decides
CREATE INDEX wide_id ON wide (id);
SELECT plan(format('SELECT id FROM wide WHERE id = 77 AND c24 <@ %L', cube_enlarge(c24, .3, 24))) FROM wide WHERE id = 77;

-- The answers are those of the table.
SET enable_indexscan = off; SET enable_bitmapscan = off;
CREATE TABLE expected AS SELECT q.id AS q, w.id FROM wide q, wide w WHERE q.id % 2000 = 77 AND w.c24 <@ cube_enlarge(q.c24, .4, 24);
RESET enable_indexscan; RESET enable_bitmapscan; SET enable_seqscan = off;
SELECT count(*) > 10 AS enough, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM expected e WHERE e.q = s.q AND e.id = s.id)) AS more, count(*) - (SELECT count(*) FROM expected) AS fewer
  FROM (SELECT q.id AS q, w.id FROM wide q, wide w WHERE q.id % 2000 = 77 AND w.c24 <@ cube_enlarge(q.c24, .4, 24)) s;
RESET enable_seqscan;
DROP TABLE wide, expected;
DROP FUNCTION plan, coordinates;
