-- Joins of two trees of cubes: overlapping and equal ones are found as without the indexes, whatever dimensions cubes have and lack. Containment, which
-- asks nothing of dimensions that a cube lacks, is left to other joins.
-- Seen to fail: with keys of odd cubes taken for whole ones.
SET client_min_messages = warning;
CREATE EXTENSION xtree_cube CASCADE;
CREATE TABLE join_cubes (id int, c cube);
INSERT INTO join_cubes SELECT i, cube(ARRAY[i % 61 / 10.0, i % 53], ARRAY[i % 61 / 10.0 + i % 3, i % 53 + i % 2]) FROM generate_series(1, 600) i;
INSERT INTO join_cubes SELECT 1000 + i, cube(ARRAY[i % 13, i % 7, i % 5], ARRAY[i % 13 + 1, i % 7, i % 5 + i % 2]) FROM generate_series(1, 300) i;
INSERT INTO join_cubes SELECT 2000 + row_number() OVER (), c::cube FROM unnest(ARRAY['()', '(1)', '(-1),(1)', '(0)', '(0,0)', '(0,0,0)', '(-0,0)', '(5,6,0),(5,6,7)', '(1,2,3,4),(2,3,4,5)', '(1,2,0,-1),(2,3,0,1)',
  '(1,NaN)', '(NaN,2,3)', '(NaN)', '(Infinity,1)', '(-Infinity,-Infinity),(Infinity,Infinity)', '(1e308,1),(-1e308,2)', '(3,3),(1,1)']) c;
INSERT INTO join_cubes VALUES (3000, NULL);
CREATE INDEX join_cubes_2 ON join_cubes USING xtree (c) WITH (fillfactor = 90);
CREATE TABLE join_cubes_b AS SELECT id, c FROM join_cubes WHERE id % 2 = 0 OR id > 2000;
CREATE INDEX join_cubes_3 ON join_cubes_b USING xtree (c cube_ops (dims = 3));
ANALYZE join_cubes, join_cubes_b;
SET enable_sort = off;  -- NaNs are in no order
SELECT op, (joined(format('SELECT x.id, y.id FROM join_cubes x JOIN join_cubes_b y ON x.c %s y.c', op))).* FROM unnest(ARRAY['&&', '=', '@>', '<@']) op;
SELECT q, (joined(q)).* FROM unnest(ARRAY['SELECT x.id, y.id FROM join_cubes x JOIN join_cubes y ON x.c && y.c AND x.id < y.id', 'SELECT x.id, y.id FROM join_cubes_b x LEFT JOIN join_cubes y ON x.c && y.c AND x.id <> y.id',
  'SELECT x.id FROM join_cubes x WHERE NOT EXISTS (SELECT FROM join_cubes_b y WHERE x.c && y.c AND x.id <> y.id)']) q;
SELECT xtree_check(i, true) FROM unnest(ARRAY['join_cubes_2', 'join_cubes_3']::regclass[]) i;
DROP TABLE join_cubes, join_cubes_b;
DROP EXTENSION cube CASCADE;
