-- Arithmetic beyond the range of double precision is an ERROR of many geometric operators. An index raises it only where a query without the
-- index does: not for rows that another condition excludes, and that the executor would not have come to.
SET xtree.estimate_rows = off;  -- small tables: which plan is taken is not the point here

-- The answer of a query, or the ERROR that it ends in, without an index and with it; `fine`: no error comes from the index alone, and no other answer.
CREATE FUNCTION outcomes(query text, OUT fine boolean, OUT without text, OUT through text) LANGUAGE plpgsql AS $$
DECLARE
  answer text := format('SELECT coalesce(string_agg(q::text, '' ''), ''nothing'') FROM (%s) q', query);
  result text;
BEGIN
  FOR indexed IN 0 .. 1 LOOP
    PERFORM set_config('enable_seqscan', CASE indexed WHEN 0 THEN 'on' ELSE 'off' END, true), set_config('enable_sort', CASE indexed WHEN 0 THEN 'on' ELSE 'off' END, true),
      set_config('enable_bitmapscan', 'off', true), set_config('enable_indexscan', CASE indexed WHEN 1 THEN 'on' ELSE 'off' END, true),
      set_config('enable_indexonlyscan', CASE indexed WHEN 1 THEN 'on' ELSE 'off' END, true);
    BEGIN
      EXECUTE answer INTO result;
    EXCEPTION WHEN numeric_value_out_of_range THEN
      result := SQLERRM;
    END;
    IF indexed = 0 THEN without := result; ELSE through := result; END IF;
  END LOOP;
  fine := through = without OR without ~ 'out of range';
END $$;

CREATE TABLE huge (id int, p point, b box, c circle, y polygon);
INSERT INTO huge SELECT i, point(i, i), box(point(i, i), point(i + 1, i + 1)), circle(point(i, i), 1), polygon(box(point(i, i), point(i + 1, i + 1)))
FROM generate_series(1, 500) i;
INSERT INTO huge SELECT 1000 + i, point(x, y), box(point(x, y), point(x, y)), circle(point(x, y), r), polygon(box(point(x, y), point(x, y)))
FROM unnest('{1.7e308, -1.7e308, 1.7e308, 1e300, Infinity, -Infinity, NaN, 5}'::float8[], '{0, 0, 1.7e308, 1, 3, Infinity, 2, 6}'::float8[],
  '{NaN, 5, NaN, 1e300, 1, NaN, Infinity, NaN}'::float8[]) WITH ORDINALITY AS t(x, y, r, i);
INSERT INTO huge VALUES (1100, NULL, '(1.7e308,1.7e308),(-1.7e308,-1.7e308)', '<(0,0),1.7e308>', '((1.7e308,0),(-1.7e308,3),(0,1.7e308))');
CREATE INDEX huge_p ON huge USING xtree (p) INCLUDE (id);
CREATE INDEX huge_b ON huge USING xtree (b) INCLUDE (id);
CREATE INDEX huge_c ON huge USING xtree (c);
CREATE INDEX huge_y ON huge USING xtree (y);
VACUUM huge;

-- Two conditions of one index are rechecked in the order of its columns: without it the cheaper one is looked at first, and keeps the other from overflowing.
CREATE TABLE corners (id int, c circle, y polygon);
INSERT INTO corners SELECT i, circle(point(i, 1e308), 1e308), polygon '((0,0),(9,0),(9,1),(1,1),(1,9),(0,9))' FROM generate_series(1, 20) i;
CREATE INDEX corners_cy ON corners USING xtree (c, y);
SELECT (outcomes($$SELECT id FROM corners WHERE c && ANY (ARRAY['<(7,9),1e308>', '<(1,2),3>', '<(-1e308,9),1e308>']::circle[]) AND y && polygon '((5,5),(6,5),(6,6))'$$)).*;
SELECT xtree_check('corners_cy', true);
DROP TABLE corners;

-- Rows that overflow, but are not asked for.
-- (What overflows depends on the version: distances are infinite instead from PostgreSQL 19 on, where coordinates' differences are not.)
SELECT ordering, (outcomes(format('SELECT %s AS d FROM huge WHERE id <= 1000 ORDER BY 1 LIMIT 3', ordering))).fine
FROM unnest(ARRAY[$$p <-> point '(-1.7e308,0)'$$, $$p <-> point '(30.1,30.2)'$$, $$p <-> point '(1.7e308,1.7e308)'$$, $$b <-> point '(-1.7e308,0)'$$, $$b <-> point '(30.1,30.2)'$$,
  $$b <-> point '(1.7e308,1.7e308)'$$, $$c <-> point '(30.1,30.2)'$$, $$c <-> point '(1e308,Infinity)'$$, $$y <-> point '(30.1,30.2)'$$, $$y <-> point '(1e308,Infinity)'$$]) ordering;
SELECT ordering, (outcomes(format('SELECT %s AS d FROM huge WHERE id + 0 <= 1000 ORDER BY 1', ordering))).fine
FROM unnest(ARRAY[$$p <-> point '(-1.7e308,0)'$$, $$p <-> point '(30.1,30.2)'$$, $$b <-> point '(-1.7e308,0)'$$, $$b <-> point '(30.1,30.2)'$$]) ordering;
-- Of circles and polygons the executor computes distances, in the order of the index: those that may overflow come last.
SELECT c <-> point '(30.1,30.2)' AS d FROM huge ORDER BY 1 LIMIT 3;
SET enable_seqscan = off;
SET enable_sort = off;
-- Beside a condition that the index has not, the order of such an index, or from such a point, is left to a sort; a condition is left to others.
SELECT explain_plan($$SELECT c <-> point '(30.1,30.2)' AS d FROM huge ORDER BY 1 LIMIT 3$$);
SELECT explain_plan($$SELECT c <-> point '(30.1,30.2)' AS d FROM huge WHERE id <= 1000 ORDER BY 1 LIMIT 3$$);
CREATE TABLE ordinary (id int, y polygon, p point);
INSERT INTO ordinary SELECT id, y, p FROM huge WHERE id <= 500;
CREATE INDEX ordinary_y ON ordinary USING xtree (y);
CREATE INDEX ordinary_p ON ordinary USING xtree (p);
SELECT explain_plan($$SELECT id FROM ordinary WHERE id < 100 ORDER BY y <-> point '(30.1,30.2)' LIMIT 3$$);
SELECT explain_plan($$SELECT id FROM ordinary WHERE id < 100 ORDER BY y <-> point '(1e308,Infinity)' LIMIT 3$$);
SELECT explain_plan($$SELECT id FROM ordinary WHERE id < 100 AND p <@ polygon '((0,0),(9,4),(8,9))'$$);
RESET enable_seqscan;  -- which, switched off, from PostgreSQL 18 on loses to any bitmap scan, whatever that costs
SELECT explain_plan($$SELECT id FROM ordinary WHERE id < 100 AND p <@ polygon '((0,0),(1e200,4),(8,1e200))'$$);
SELECT explain_plan($$SELECT id FROM ordinary WHERE id < 100 AND p <@ ANY (ARRAY[NULL, polygon '((0,0),(9,4),(8,9))', '((0,0),(1e200,4),(8,1e200))'])$$);
SET enable_seqscan = off;
SELECT explain_plan($$SELECT id FROM ordinary WHERE p <@ polygon '((0,0),(1e200,4),(8,1e200))'$$);
-- Reached, it is the ERROR that it is without the index.
SELECT p <-> '(-1.7e308,0)' FROM huge WHERE id IN (7, 1001) ORDER BY p <-> '(-1.7e308,0)';
SELECT b <-> point '(-1.7e308,0)' FROM huge WHERE id IN (7, 1001) ORDER BY b <-> point '(-1.7e308,0)';
RESET enable_seqscan;
RESET enable_sort;

-- Conditions whose recheck overflows, beside one that comes first.
SELECT condition, (outcomes(format('SELECT id FROM huge WHERE id <= 1000 AND %s ORDER BY id LIMIT 3', condition))).*
FROM unnest(ARRAY[$$p <@ polygon '((0,0),(Infinity,4),(8,Infinity))'$$, $$p <@ polygon '((0,0),(9,4),(8,9))'$$,
  $$p <@ circle '<(-1e308,0),2>'$$, $$c && circle '<(-1e308,0),2>'$$, $$c @> circle '<(-1e308,0),2>'$$, $$c <@ circle '<(-1e308,0),2>'$$,
  $$c ~= circle '<(-1e308,0),NaN>'$$, $$c && circle '<(3,3),2>'$$, $$y && polygon '((-1e308,0),(-1e308,1),(3,3))'$$,
  $$y && ANY (ARRAY[NULL, polygon '((-1e308,0),(-1e308,1),(3,3))'])$$, $$c && ANY (ARRAY[circle '<(3,3),2>', '<(-1e308,0),2>'])$$]) condition;
SELECT condition, (agree(format('SELECT id FROM huge WHERE %s', condition))).*
FROM unnest(ARRAY[$$c ~= circle '<(1.7e308,0),NaN>'$$, $$c ~= circle '<(5,6),NaN>'$$, $$c ~= circle '<(5,6),1>'$$, $$c << circle '<(5,6),1>'$$,
  $$c |>> circle '<(5,6),NaN>'$$]) condition;
SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indrelid = 'huge'::regclass;
SELECT xtree_check('ordinary_y', true), xtree_check('ordinary_p', true);
DROP TABLE huge, ordinary;
