-- Cut-offs by the distances of cube.
SET xtree.estimate_rows = off;  -- small tables: which plan is taken is not the point here
SET client_min_messages = warning;
CREATE EXTENSION xtree_cube CASCADE;
RESET client_min_messages;
CREATE TABLE tones (id int, c cube);
INSERT INTO tones SELECT i, cube(ARRAY[i % 61, i * 7919 % 53, i % 7], ARRAY[i % 61 + i % 3, i * 7919 % 53, i % 7 + i % 2]) FROM generate_series(1, 1500) i;
INSERT INTO tones SELECT 4000 + i, c::cube FROM unnest('{"(1)","(2,3)","(1,2,3,4)","()","(20,20,3),(NaN,21,3)","(NaN)","(Infinity,1,1)","(-Infinity,1,1),(Infinity,2,2)"}'::text[])
  WITH ORDINALITY t(c, i);
INSERT INTO tones VALUES (5000, NULL);
CREATE INDEX tones_c ON tones USING xtree (c);
VACUUM ANALYZE tones;
EXPLAIN (COSTS OFF) SELECT id FROM tones WHERE c <-> '(20,20,3)' < 3 ORDER BY c <-> '(20,20,3)' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT count(*) FROM tones WHERE c ~> 1 <= 0 AND c <#> '(20,20,3)' <= 5;
SELECT explain_analyze($$SELECT id FROM tones WHERE c <-> '(20,20,3)' < 3 AND id < 4000 ORDER BY c <-> '(20,20,3)' LIMIT 1000$$);
SELECT (edges('tones', $$c <-> '(20,20,3)'$$)).*;
SELECT (edges('tones', $$'(20,20,3),(22,21,4)' <#> c$$)).*;
SELECT (edges('tones', $$c <=> '(20,20)'$$)).*;
SELECT (edges('tones', $$c <-> '(NaN,20)'$$)).*;
SELECT (edges('tones', 'c ~> 1')).*;
SELECT (edges('tones', 'c ~> -6')).*;
SELECT (edges('tones', 'c ~> 9')).*;
SELECT xtree_check('tones_c', true);
DROP TABLE tones;
DROP EXTENSION cube CASCADE;
