-- xtree_cube: every operator and ordering of gist_cube_ops gives through the index what it gives without.
-- Seen to fail: with the key of a cube of other dimensions taken for whole, with lower ends that do not reach zero for those of fewer (<@), with a NaN in
-- the key, with the lower coordinate of an odd cube negated (~>).
CREATE EXTENSION xtree_cube;  -- needs contrib/cube
CREATE EXTENSION xtree_cube CASCADE;
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'cube_ops' AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'xtree');

SELECT setseed(0.5);
CREATE TABLE cubes (id int, c cube);
-- Boxes and points of three dimensions, corners in any order, some on a grid, ...
INSERT INTO cubes SELECT g, cube(ARRAY[(g * 7919) % 61, (g * 104729) % 53, g % 7], ARRAY[(g * 7919) % 61 + g % 5, (g * 104729) % 53 - g % 3, g % 11])
FROM generate_series(1, 2000) g;
INSERT INTO cubes SELECT 2000 + g, cube(ARRAY[random() * 60, random() * 50, random() - 0.5]) FROM generate_series(1, 1000) g;
-- ... of fewer and more dimensions, zero or not beyond the others', ...
INSERT INTO cubes SELECT 4000 + g, cube(array_agg(random() * 10 * (d % 3)), array_agg(random() * 10 * (d % 3)))
FROM generate_series(1, 500) g, generate_series(1, 5) d WHERE d <= g % 6 GROUP BY g;
INSERT INTO cubes SELECT 5000 + g, cube((ARRAY[g % 5, 0, 0, 0])[:g % 4 + 1]) FROM generate_series(1, 200) g;
-- ... every pair of special numbers, in one to four dimensions, ...
CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), ('-5e-324'), (1), (-1), (1.5), (1e17), (-1e200);
INSERT INTO cubes SELECT 6000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), cube(a.c, b.c) FROM special a, special b;
INSERT INTO cubes SELECT 7000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), cube(ARRAY[1, a.c, 2], ARRAY[3, b.c, 2])
FROM special a, special b;
INSERT INTO cubes SELECT 8000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), cube(ARRAY[2, 1, 0, a.c], ARRAY[2, 1, 0, b.c])
FROM special a, special b;
-- ... of no dimension, of a hundred, duplicates, and NULLs.
INSERT INTO cubes SELECT 9000 + g, cube('{}'::float8[]) FROM generate_series(1, 3) g;
INSERT INTO cubes SELECT 9100 + g, cube(array_agg(g % 3 * d)) FROM generate_series(1, 20) g, generate_series(1, 100) d GROUP BY g;
INSERT INTO cubes SELECT 9200 + g, '(1,2,3),(4,5,6)' FROM generate_series(1, 1000) g;
INSERT INTO cubes SELECT 11000 + g, NULL FROM generate_series(1, 5) g;

-- The first row has three dimensions, so the index has.
CREATE INDEX cubes_built ON cubes USING xtree (c);
SELECT dimensions FROM xtree_index_info('cubes_built') LIMIT 1;
SELECT xtree_check('cubes_built', true);

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM cubes WHERE c <@ '(10,10,0),(12,12,9)'::cube;
EXPLAIN (COSTS OFF) SELECT id FROM cubes ORDER BY c <-> '(10,10,3)'::cube LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM cubes ORDER BY c ~> -2 LIMIT 3;
RESET enable_seqscan;

CREATE TABLE queries (n int GENERATED ALWAYS AS IDENTITY, q cube);
INSERT INTO queries (q) SELECT c FROM cubes WHERE id IN (3, 170, 901, 2007, 4003, 4010, 4016, 5003, 9001, 9101, 9102, 9201);
INSERT INTO queries (q) SELECT c FROM cubes WHERE id BETWEEN 6001 AND 9000 AND id % 11 = 0;
INSERT INTO queries (q) VALUES ('(20,20,-9),(30,30,9)'), ('(0)'), ('(0,5),(2,6)'), ('(-1,0,0,5),(9,9,9,6)'), ('(1,-1,-1,-1,-1),(60,50,7,1,1)'),
  ('(5,5,5,5,5)'), ('(0,0,0,0,0,0)'), ('(-1),(1)'), ('(-Infinity,1,1),(Infinity,2,2)'), ('(NaN,1),(2,3)');
SELECT count(*) FROM queries;
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '@>', '<@', '=']) op, queries, agree(format('SELECT id FROM cubes WHERE c %s %L::cube', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT id FROM cubes WHERE c && ANY ('{"(3,3),(9,9)", NULL, "(40,40,1)"}'::cube[])$$)).*;
SELECT (agree($$SELECT id FROM cubes WHERE c IS NULL$$)).*;

-- Distances, in the order of the index. An infinite one less another is no number, and in no order.
SELECT op, count(*), sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<->', '<#>', '<=>']) op, queries,
  agree(format('SELECT c %s %L::cube FROM cubes ORDER BY c %1$s %2$L::cube', op, q)) WHERE n % 3 = 0 OR n > 50
GROUP BY op ORDER BY op COLLATE "C";
SELECT number, (agree(format('SELECT (c ~> %s) + 0 FROM cubes ORDER BY c ~> %1$s', number))).*
FROM unnest(ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 100, 1000, -1, -2, -3, -4, -5, -6, -7, -8, -1000]) number;
SELECT (agree($$SELECT c <-> '(30,30,3)'::cube FROM cubes WHERE c && '(20,20),(40,40)' ORDER BY c <-> '(30,30,3)'::cube LIMIT 100$$)).*;
SELECT (agree($$SELECT c ~> 3 FROM cubes WHERE c <@ '(20,20,-9),(40,40,20)' ORDER BY c ~> 3 LIMIT 10$$)).*;
SET enable_seqscan = off;
SELECT id FROM cubes ORDER BY c ~> 0 LIMIT 1;
SELECT id FROM cubes WHERE c && '(777,777,777)' ORDER BY c ~> 0 LIMIT 1;  -- no row, no error, as without the index
RESET enable_seqscan;

-- An index of other dimensions answers alike; so does one that grew by insertion, and one beside another column.
CREATE TABLE grown (id int, c cube);
CREATE INDEX grown_2 ON grown USING xtree (c cube_ops (dims = 2));
CREATE INDEX grown_6 ON grown USING xtree (id, c cube_ops (dims = 6));
CREATE INDEX grown_unsaid ON grown USING xtree (c);
INSERT INTO grown SELECT * FROM cubes;
SELECT i, (SELECT dimensions FROM xtree_index_info(i::regclass) LIMIT 1) FROM unnest(ARRAY['grown_2', 'grown_6', 'grown_unsaid']) i;
CREATE PROCEDURE ask() LANGUAGE plpgsql AS $$
DECLARE
  answer record;
BEGIN
  FOR answer IN
    SELECT op, sum(rows) AS rows, bool_and(same) AS same
    FROM unnest(ARRAY['&&', '@>', '<@', '=']) op, queries,
      agree(format('SELECT id FROM grown WHERE c %s %L::cube', op, q)) WHERE n % 2 = 0
    GROUP BY op ORDER BY op COLLATE "C" LOOP
    RAISE NOTICE '% % %', answer.op, answer.rows, answer.same;
  END LOOP;
  FOR answer IN
    SELECT op, sum(rows) AS rows, bool_and(same) AS same
    FROM unnest(ARRAY['<->', '<#>', '<=>']) op, queries,
      agree(format('SELECT c %s %L::cube FROM grown ORDER BY c %1$s %2$L::cube LIMIT 500', op, q)) WHERE n % 5 = 0
    GROUP BY op ORDER BY op COLLATE "C" LOOP
    RAISE NOTICE '% % %', answer.op, answer.rows, answer.same;
  END LOOP;
END $$;
BEGIN;
DROP INDEX grown_6, grown_unsaid;
CALL ask();
ROLLBACK;
BEGIN;
DROP INDEX grown_2, grown_unsaid;
CALL ask();
ROLLBACK;
SELECT xtree_check(i::regclass, true) FROM unnest(ARRAY['grown_2', 'grown_6', 'grown_unsaid']) i;

-- Dimensions come from the first row that has a value; they stay until the index is built again.
CREATE TABLE late (c cube);
INSERT INTO late SELECT NULL FROM generate_series(1, 1000);
INSERT INTO late VALUES ('(1,2,3,4,5)'), ('(1)');
CREATE INDEX late_c ON late USING xtree (c);
CREATE INDEX late_expression ON late USING xtree (cube(c, 7)) WHERE c IS NOT NULL;
SELECT i, dimensions FROM unnest(ARRAY['late_c', 'late_expression']) i, xtree_index_info(i::regclass);
TRUNCATE late;
INSERT INTO late VALUES ('(1,2,3,4,5,6,7)');
SELECT dimensions FROM xtree_index_info('late_c');
REINDEX INDEX late_c;
SELECT dimensions FROM xtree_index_info('late_c');
BEGIN;
TRUNCATE late;
INSERT INTO late VALUES ('(1,2)');
REINDEX INDEX late_c;
ROLLBACK;
SELECT dimensions FROM xtree_index_info('late_c');
SELECT xtree_check('late_c', true);

-- Parallel workers are told.
SET min_parallel_table_scan_size = 0;
SET max_parallel_maintenance_workers = 2;
ALTER TABLE cubes SET (parallel_workers = 2);
CREATE INDEX cubes_parallel ON cubes USING xtree (id, c);
SELECT dimensions FROM xtree_index_info('cubes_parallel') LIMIT 1;
SELECT xtree_check('cubes_parallel', true);
RESET min_parallel_table_scan_size;
RESET max_parallel_maintenance_workers;

-- A hundred dimensions fit, more do not.
CREATE TABLE wide (id int, c cube);
INSERT INTO wide SELECT g, cube(array_agg(((g * 31 + d * 17) % 101)::float8)) FROM generate_series(1, 200) g, generate_series(1, 100) d GROUP BY g;
CREATE INDEX wide_c ON wide USING xtree (c);
SELECT dimensions FROM xtree_index_info('wide_c') LIMIT 1;
SELECT (agree($$SELECT id FROM wide WHERE c @> (SELECT c FROM wide WHERE id = 77)$$)).*;
SELECT (agree($$SELECT c <-> (SELECT c FROM wide WHERE id = 77) FROM wide ORDER BY c <-> (SELECT c FROM wide WHERE id = 77)$$)).*;
CREATE INDEX ON wide USING xtree (id, c);
CREATE INDEX ON wide USING xtree (id, c cube_ops (dims = 99));
CREATE INDEX ON wide USING xtree (c cube_ops (dims = 101));
CREATE INDEX ON wide USING xtree (c cube_ops (dims = 0));
SELECT xtree_check('wide_c', true);
SELECT xtree_check('cubes_built', true);

-- Rooms that may not overlap.
CREATE TABLE rooms (floor int, space cube, EXCLUDE USING xtree (floor WITH =, space WITH &&));
INSERT INTO rooms VALUES (1, '(0,0,0),(2,2,2)'), (1, '(3,3,0),(4,4,2)'), (2, '(1,1,1),(2,2,2)');
INSERT INTO rooms VALUES (1, '(1,1,1,0),(1,1,1,5)');
INSERT INTO rooms VALUES (1, '(1,1,1,1),(1,1,1,5)');
SELECT xtree_check('rooms_floor_space_excl', true);

DROP TABLE cubes, grown, late, wide, queries, special, rooms;
DROP PROCEDURE ask;
DROP EXTENSION cube CASCADE;
