-- Nearest joins: whatever LATERAL (... ORDER BY column <-> outer value LIMIT n) says through the tree in batches, it says without it.
-- Seen to fail: with outer rows that have too few candidates left as they are; with bounds of distances taken for distances; with the parameters of the
-- outer row before given to the expressions of the inner plan; with entries that were killed looked for in a copy that does not have them.

CREATE SCHEMA nearest_join;
SET search_path = nearest_join, public;
CREATE TABLE special (c float8);
INSERT INTO special VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), (0), ('5e-324'), (1e-6), (-1e150), (1e300);
CREATE TABLE o (id int, kind int, p point, n int, pad text);
INSERT INTO o SELECT g, g % 10, point((g * 7919) % 111 + g % 7 * 0.37, (g * 104729) % 103 + g % 11 * 0.13), g % 7, repeat('x', g % 50) FROM generate_series(1, 400) g;
INSERT INTO o SELECT 5000 + row_number() OVER (ORDER BY a.c, b.c, a.c::text, b.c::text), 3, point(a.c, b.c), 1 FROM special a, special b;
INSERT INTO o SELECT 6000 + g, g, NULL, CASE WHEN g % 2 = 0 THEN g END FROM generate_series(1, 6) g;
CREATE TABLE i (id int, kind int, b box, p point, n int, pad text);
INSERT INTO i SELECT g, g % 10, box(point(x, y), point(x + g % 3, y + g % 2)), point(x, y), g % 7, 'row ' || g
FROM generate_series(1, 2500) g, LATERAL (SELECT (g * 7919) % 113 + (g * 37 % 101) * 0.009 AS x, (g * 104729) % 109 + (g * 41 % 103) * 0.007 AS y) c;
INSERT INTO i SELECT 6000 + g, g, NULL, NULL, g FROM generate_series(1, 6) g;
CREATE INDEX i_p ON i USING xtree (p, kind) INCLUDE (id);
VACUUM ANALYZE i;
ANALYZE o;

-- The distances that come out are those of the nearest; which of several rows at the same distance is not said. Without the index, with all of them.
CREATE FUNCTION nearest(query text, OUT rows bigint, OUT same boolean, OUT node text) LANGUAGE plpgsql AS $$
DECLARE
  answer text := format('SELECT count(*), sum(hashtextextended(q::text, 0)::numeric) FROM (%s) q', query);
  truth record;
  other record;
  line text;
BEGIN
  PERFORM set_config('jit', 'off', true), set_config('xtree.enable_lookup_join', 'off', true), set_config('enable_indexscan', 'off', true),
    set_config('enable_indexonlyscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_memoize', 'off', true);
  EXECUTE answer INTO truth;
  rows := truth.count;
  PERFORM set_config('xtree.enable_lookup_join', 'on', true), set_config('enable_indexscan', 'on', true), set_config('enable_indexonlyscan', 'on', true),
    set_config('enable_sort', 'off', true);
  EXECUTE answer INTO other;
  same := other::text = truth::text;
  FOR line IN SELECT * FROM explain_plan(query) LOOP
    node := coalesce(node, substring(line FROM 'Custom Scan \(Xtree(\w+)\)|Nested Loop'));
  END LOOP;
  PERFORM set_config('enable_sort', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('enable_memoize', 'on', true);
END $$;

SELECT explain_plan('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.pad, i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x');
SELECT explain_plan('SELECT o.id, x.* FROM o LEFT JOIN LATERAL (SELECT i.id, i.p <-> o.p AS d FROM i WHERE i.kind = o.kind ORDER BY i.p <-> o.p LIMIT 3) x ON true');

-- Rows that are fetched, and such that the index has; conditions of the index, constant and of the outer row, and others; limits that there are not rows for.
SELECT c, n, q.* FROM unnest(ARRAY['', 'WHERE i.kind = 3', 'WHERE i.kind = o.kind', 'WHERE i.kind IN (1, 4, o.n)', 'WHERE i.kind = -1', 'WHERE i.kind = o.n - 3', 'WHERE i.n = 3',
    'WHERE i.n = o.n AND i.kind < 7', 'WHERE i.p <-> o.p < 3', 'WHERE i.p <-> o.p < o.n', 'WHERE i.p <@ box ''(20,20),(60,70)''', 'WHERE i.p << o.p', 'WHERE i.id % 50 = 7']) WITH ORDINALITY c (c, g),
  unnest(ARRAY[1, 3, 20]) n,
  LATERAL nearest(format('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d, i.p <-> o.p < 2 AS near, o.n + o.id AS m, i.n IS NULL FROM i %s ORDER BY i.p <-> o.p LIMIT %s) x', c, n)) q ORDER BY g, n;
SELECT c, q.* FROM unnest(ARRAY['', 'WHERE i.kind = 3', 'WHERE i.kind = o.kind', 'WHERE i.id % 5 = 1']) WITH ORDINALITY c (c, g),
  LATERAL nearest(format('SELECT o.id, x.* FROM o LEFT JOIN LATERAL (SELECT i.p <-> o.p AS d, i.kind IS NULL, i.id < 0 AS id FROM i %s ORDER BY i.p <-> o.p LIMIT 5) x ON true', c)) q ORDER BY g;

-- What is asked after the limit; expressions on both sides; whole rows; outer rows from anywhere.
SELECT q, (nearest(q)).* FROM unnest(ARRAY[
  'SELECT o.id, x.d FROM o LEFT JOIN LATERAL (SELECT i.p <-> o.p AS d, i.n FROM i ORDER BY i.p <-> o.p LIMIT 3) x ON x.d < 1',
  'SELECT o.id, x.d FROM o LEFT JOIN LATERAL (SELECT i.p <-> o.p AS d, i.n FROM i ORDER BY i.p <-> o.p LIMIT 3) x ON x.d < 1 WHERE x.d IS NULL OR x.d > 0.5',
  'SELECT o.id, x.d FROM o JOIN LATERAL (SELECT i.p <-> o.p AS d, i.n FROM i ORDER BY i.p <-> o.p LIMIT 3) x ON x.d < 1 AND o.n > 2',
  'SELECT o.id + 1, coalesce(x.d, -1) FROM o LEFT JOIN LATERAL (SELECT round((i.p <-> o.p)::numeric, 3) AS d FROM i WHERE o.n > 3 ORDER BY i.p <-> o.p LIMIT 3) x ON true WHERE o.id < 1400',
  'SELECT o, x.d FROM o CROSS JOIN LATERAL (SELECT o.p <-> i.p AS d FROM i ORDER BY o.p <-> i.p LIMIT 2) x',
  'SELECT g, x.d FROM generate_series(1, 900) g CROSS JOIN LATERAL (SELECT i.p <-> point(g / 9.0, g % 90) AS d FROM i ORDER BY i.p <-> point(g / 9.0, g % 90) LIMIT 2) x',
  'SELECT g, x.d FROM (SELECT n, max(id) AS m FROM o GROUP BY id % 300, n) g CROSS JOIN LATERAL (SELECT i.p <-> point(g.m / 11.0, g.n) AS d FROM i ORDER BY i.p <-> point(g.m / 11.0, g.n) LIMIT 2) x',
  'SELECT a.id, x.d, y.d FROM o a CROSS JOIN LATERAL (SELECT i.p <-> a.p AS d, i.p AS p FROM i ORDER BY i.p <-> a.p LIMIT 1) x CROSS JOIN LATERAL (SELECT i.p <-> x.p AS d FROM i WHERE i.kind = 4 ORDER BY i.p <-> x.p LIMIT 2) y WHERE a.id < 1400',
  'SELECT a.id, b.id, x.d FROM o a JOIN o b ON a.id = b.id + 1 CROSS JOIN LATERAL (SELECT i.p <-> a.p AS d FROM i WHERE i.kind = b.kind ORDER BY i.p <-> a.p LIMIT 2) x',
  'SELECT a.id, b.id, x.d FROM o a LEFT JOIN o b ON a.id = b.id - 700 LEFT JOIN LATERAL (SELECT i.p <-> b.p AS d FROM i ORDER BY i.p <-> b.p LIMIT 2) x ON true WHERE a.id < 1400',
  'SELECT count(*), sum(x.n) FROM o CROSS JOIN LATERAL (SELECT 1 AS n FROM i ORDER BY i.p <-> o.p LIMIT 4) x',
  'SELECT o.id, x.r FROM o CROSS JOIN LATERAL (SELECT (i.p <-> o.p, o.id)::text AS r FROM i ORDER BY i.p <-> o.p LIMIT 4) x ORDER BY o.id DESC LIMIT 500']) q;

-- Rows of one outer row come in the order of their distances, and outer rows in theirs.
SELECT bool_and(d >= before) FROM (SELECT d, lag(d) OVER (PARTITION BY id ORDER BY g) AS before FROM (SELECT row_number() OVER () AS g, o.id, x.d FROM o
  CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 9) x WHERE o.id < 1000) r) s;
SELECT bool_and(id >= before) FROM (SELECT id, lag(id) OVER (ORDER BY g) AS before FROM (SELECT row_number() OVER () AS g, x.id FROM (SELECT * FROM o WHERE id < 1000 ORDER BY id OFFSET 0) x
  CROSS JOIN LATERAL (SELECT i.p <-> x.p AS d FROM i ORDER BY i.p <-> x.p LIMIT 2) y) r) s;

-- Few outer rows, and whatever is another question, are nested loops.
SELECT q, substring(string_agg(line, ' ') FROM 'Xtree\w+|Nested Loop') FROM unnest(ARRAY[
  'SELECT * FROM (SELECT * FROM o ORDER BY id LIMIT 5) o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 3) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 3) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 3 OFFSET 1) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT o.n) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p FETCH FIRST 3 ROWS WITH TIES) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 100000) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 3 FOR UPDATE) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id, random() FROM i ORDER BY i.p <-> o.p LIMIT 3) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i WHERE random() < 2 ORDER BY i.p <-> o.p LIMIT 3) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p, i.id LIMIT 3) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT DISTINCT ON (i.p <-> o.p) i.id FROM i ORDER BY i.p <-> o.p LIMIT 3) x',
  'SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id, row_number() OVER () FROM i ORDER BY i.p <-> o.p LIMIT 3) x']) q,
  LATERAL (SELECT explain_plan(q) AS line) l GROUP BY q ORDER BY q COLLATE "C";
SET xtree.enable_lookup_join = off;
SELECT explain_plan('SELECT * FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 3) x');
RESET xtree.enable_lookup_join;
-- A subquery in the inner plan keeps what it has of the row before.
SELECT q.* FROM nearest('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d, (SELECT count(*) FROM special s WHERE s.c < o.n) AS c FROM i ORDER BY i.p <-> o.p LIMIT 3) x') q;

-- Batches: small where few rows are wanted, as large as work_mem allows; outer rows that are looked up singly.
SELECT regexp_replace(line, '\d+', 'N', 'g') FROM explain_analyze('SELECT o.id, x.pad FROM o CROSS JOIN LATERAL (SELECT i.pad FROM i ORDER BY i.p <-> o.p LIMIT 3) x WHERE o.id < 1000') line;
SET enable_nestloop = off;
SELECT line FROM explain_analyze('SELECT * FROM o CROSS JOIN LATERAL (SELECT i.pad FROM i ORDER BY i.p <-> o.p LIMIT 3) x LIMIT 1') line WHERE line ~ 'Batches|Outer Rows|Seq Scan on o';
RESET enable_nestloop;
SELECT line FROM explain_analyze('SELECT * FROM o CROSS JOIN LATERAL (SELECT i.pad FROM i ORDER BY i.p <-> o.p LIMIT 3) x') line WHERE line ~ 'Batches|Outer Rows';
SET work_mem = '64kB';
SELECT substring(line FROM 'Batches: (\d+)')::int > 3 FROM explain_analyze('SELECT * FROM o CROSS JOIN LATERAL (SELECT i.pad FROM i ORDER BY i.p <-> o.p LIMIT 3) x') line WHERE line ~ 'Batches';
SELECT q.* FROM nearest('SELECT o.id, o.pad, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i WHERE i.n = o.n ORDER BY i.p <-> o.p LIMIT 3) x') q;
RESET work_mem;

-- Rows that are not visible, or not as the index has them: deleted, updated, inserted by others that gave up.
BEGIN;
DELETE FROM i WHERE id % 2 = 0 AND kind < 8;
UPDATE i SET p = p + point(0.5, 0.5) WHERE id % 3 = 0;
UPDATE i SET pad = 'changed' WHERE id % 5 = 0;
SAVEPOINT s;
INSERT INTO i SELECT 9000 + g, 1, NULL, point(g % 100, g / 100), 1 FROM generate_series(1, 5000) g;
ROLLBACK TO s;
SELECT rows, same, node FROM nearest('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x');
SELECT rows, same, node FROM nearest('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d, i.pad IS NULL FROM i WHERE i.kind < 9 ORDER BY i.p <-> o.p LIMIT 3) x');
SELECT substring(line FROM 'Singly: (\d+)')::int > 10 FROM explain_analyze('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x') line WHERE line ~ 'Singly';
COMMIT;
SELECT rows, same, node FROM nearest('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x');
VACUUM i;
SELECT rows, same, node FROM nearest('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d, i.id IS NULL, i.kind < 0 FROM i ORDER BY i.p <-> o.p LIMIT 3) x');
SELECT line FROM explain_analyze('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d, i.id FROM i ORDER BY i.p <-> o.p LIMIT 3) x') line WHERE line ~ 'Fetched|Index Only';

-- Run again, with parameters, in cursors, while the table changes.
SELECT q, (nearest(q)).rows, (nearest(q)).same FROM unnest(ARRAY[
  'SELECT k, (SELECT sum(x.d)::numeric(20, 6) FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i WHERE i.kind >= k ORDER BY i.p <-> o.p LIMIT 2) x WHERE o.n = k AND o.id < 1500) FROM generate_series(0, 6) k',
  'SELECT k, y.* FROM generate_series(0, 3) k, LATERAL (SELECT o.id, x.d FROM o LEFT JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i WHERE i.n > k ORDER BY i.p <-> o.p LIMIT 2) x ON true ORDER BY 1, 2 LIMIT 900 OFFSET k) y']) q;
PREPARE limited(int, int) AS SELECT count(*), sum(x.d)::numeric(20, 6) FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i WHERE i.kind < $2 ORDER BY i.p <-> o.p LIMIT $1) x WHERE o.id < 1500;
SET plan_cache_mode = force_generic_plan;
SET enable_nestloop = off;
SELECT explain_plan('EXECUTE limited(3, 5)');
EXECUTE limited(3, 5);
EXECUTE limited(1, 10);
EXECUTE limited(300, 2);
EXECUTE limited(0, 2);
EXECUTE limited(NULL, 1);
SET xtree.enable_lookup_join = off;
EXECUTE limited(3, 5);
EXECUTE limited(1, 10);
EXECUTE limited(300, 2);
EXECUTE limited(0, 2);
EXECUTE limited(NULL, 1);
RESET xtree.enable_lookup_join;
EXECUTE limited(-1, 2);
RESET enable_nestloop;
RESET plan_cache_mode;
CREATE FUNCTION rest_of(c refcursor, OUT rows int, OUT sum numeric) LANGUAGE plpgsql AS $$
DECLARE row record;
BEGIN
  rows := 0; sum := 0;
  LOOP
    FETCH c INTO row;
    EXIT WHEN NOT FOUND;
    rows := rows + 1; sum := sum + row.d::numeric(20, 6);
  END LOOP;
END $$;
SELECT count(*), sum(x.d::numeric(20, 6)) FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x WHERE o.id < 1500;
BEGIN;
DECLARE plain CURSOR FOR SELECT o.id, x.d FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x WHERE o.id < 1500;
DECLARE back SCROLL CURSOR FOR SELECT o.id, x.d FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x WHERE o.id < 1500;
MOVE 10 FROM back;
MOVE BACKWARD ALL FROM back;
DELETE FROM o WHERE id % 2 = 1;
UPDATE i SET p = p + point(10, 0);
INSERT INTO i SELECT 20000 + g, 1, NULL, point(g % 100, g / 100 + 0.01), 1 FROM generate_series(1, 9000) g;
SELECT * FROM rest_of('plain');
SELECT * FROM rest_of('back');
ROLLBACK;

-- Rows are locked and updated through a join, and an error in the middle ends it.
BEGIN;
SELECT count(*) FROM (SELECT o.id FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 2) x WHERE o.id < 1000 FOR UPDATE OF o) x;
WITH changed AS (UPDATE o SET kind = 99 FROM (SELECT o.id, min(x.d) AS d FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 2) x GROUP BY o.id) y
  WHERE y.id = o.id AND y.d < 0.5 RETURNING 1) SELECT count(*) > 10 FROM changed;
ROLLBACK;
SELECT count(1 / (x.id - 43)) FROM o CROSS JOIN LATERAL (SELECT i.id FROM i ORDER BY i.p <-> o.p LIMIT 20) x;
SELECT rows, same FROM nearest('SELECT o.id, x.* FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i ORDER BY i.p <-> o.p LIMIT 3) x');

-- Distances that the keys only bound: polygons and circles. Boxes, vectors, NULL; ties.
CREATE TABLE s (id int, g polygon, c circle, b box, v real[]);
INSERT INTO s SELECT g, polygon(circle(point(x, y), 1 + g % 5)), circle(point(x, y), g % 4), box(point(x, y), point(x + g % 4, y + 2)),
  ARRAY[x, y, g % 50] FROM generate_series(1, 2500) g, LATERAL (SELECT (g * 7919) % 211 AS x, (g * 104729) % 199 AS y) c;
INSERT INTO s SELECT;
CREATE INDEX s_g ON s USING xtree (g); CREATE INDEX s_c ON s USING xtree (c); CREATE INDEX s_b ON s USING xtree (b);
CREATE INDEX s_v ON s USING xtree (v);
VACUUM ANALYZE s;
SELECT c, n, q.* FROM unnest(ARRAY['s.g <-> o.p', 's.c <-> o.p', 's.b <-> o.p', 's.v <-> ARRAY[coalesce(o.n, 9), o.kind, o.id]::real[]', 's.v <+> ARRAY[coalesce(o.n, 9), o.kind, o.id]::real[]']) WITH ORDINALITY c (c, g), unnest(ARRAY[1, 6]) n,
  LATERAL nearest(format('SELECT o.id, x.d FROM o CROSS JOIN LATERAL (SELECT %s AS d FROM s ORDER BY %1$s LIMIT %s) x WHERE o.id < 1200 OR o.id > 6000', c, n)) q ORDER BY g, n;
SELECT c, q.* FROM unnest(ARRAY['i.n = 1', 'i.b IS NULL']) c, LATERAL nearest(format('SELECT o.id, x.d FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i WHERE %s ORDER BY i.p <-> o.p LIMIT 3) x', c)) q;

-- An empty table, an index without a first row, a partial index.
CREATE TABLE e (id int, p point, v real[]);
CREATE INDEX e_p ON e USING xtree (p); CREATE INDEX e_v ON e USING xtree (v);
SELECT (nearest(format('SELECT o.id, x.d FROM o LEFT JOIN LATERAL (SELECT %s AS d FROM e ORDER BY %1$s LIMIT 2) x ON true', d))).* FROM unnest(ARRAY['e.p <-> o.p', 'e.v <-> ARRAY[coalesce(o.n, 9), o.kind]::real[]']) d;
INSERT INTO e VALUES (1, '(1,1)', '{1,2}');
SELECT (nearest(format('SELECT o.id, x.d FROM o LEFT JOIN LATERAL (SELECT %s AS d FROM e ORDER BY %1$s LIMIT 2) x ON true', d))).rows FROM unnest(ARRAY['e.p <-> o.p', 'e.v <-> ARRAY[coalesce(o.n, 9), o.kind]::real[]']) d;
DROP INDEX i_p;
CREATE INDEX i_part ON i USING xtree (p) WHERE kind < 5;
SELECT c, q.* FROM unnest(ARRAY['i.kind < 5', 'i.kind < 6']) c, LATERAL nearest(format('SELECT o.id, x.d FROM o CROSS JOIN LATERAL (SELECT i.p <-> o.p AS d FROM i WHERE %s ORDER BY i.p <-> o.p LIMIT 3) x', c)) q;
SELECT xtree_check('i_part', true);
