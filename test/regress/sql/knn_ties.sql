-- Many equal keys, nearest first: rows come as they are found. The first costs the pages on the way to one leaf, not all that hold a row at
-- the same distance, and the order is that of the operator.

-- Pages of index and table that a query reads, where an index scan answers it; the second time, when catalogs are known.
CREATE FUNCTION pages_of(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_indexonlyscan', 'off', true);
  FOR i IN 1 .. 2 LOOP
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  END LOOP;
  plan := plan->0->'Plan'->'Plans'->0;
  IF plan->>'Node Type' <> 'Index Scan' THEN
    RAISE 'not an index scan: %', plan;
  END IF;
  RETURN (plan->>'Shared Hit Blocks')::int + (plan->>'Shared Read Blocks')::int;
END $$;

CREATE TABLE ties (id int, p point, b box, c circle, y polygon, r real[], v float8[]);
INSERT INTO ties SELECT i, '(3.3,4.7)', '(3.3,4.7),(5.1,7.3)', '<(3,4),2>', '((1,1),(9,2),(5,8))', '{1.1,2.2,3.3}', '{1.1,2.2,3.3}'
FROM generate_series(1, 20000) i;
-- Others, before and behind.
INSERT INTO ties SELECT i, point(i % 7, i % 11), box(point(i % 7, i % 11), point(i % 5, i % 3)), circle(point(i % 7, i % 11), 1),
  polygon(box(point(i % 7, i % 11), point(i % 5 + 1, i % 3 + 1))), ARRAY[i % 7, i % 11, i % 3], ARRAY[i % 7, i % 11, i % 3]
FROM generate_series(20001, 20300) i;

-- How many rows of the table are nearer than its row 1, how many as near, and whether not many more pages are read for the first of these than for those that are nearer.
CREATE FUNCTION cost_of_ties(relation text, ordering text) RETURNS TABLE (ordering_by text, nearer bigint, equal bigint, few boolean) LANGUAGE plpgsql AS $$
BEGIN
  ordering_by := ordering;
  PERFORM set_config('enable_indexscan', 'off', true);
  EXECUTE format('SELECT count(*) FILTER (WHERE d < tie), count(*) FILTER (WHERE d = tie) FROM (SELECT %s AS d, (SELECT %1$s FROM %s WHERE id = 1) AS tie FROM %2$s) s',
    ordering, relation) INTO nearer, equal;
  PERFORM set_config('enable_indexscan', 'on', true);
  few := pages_of(format('SELECT id FROM %s ORDER BY %s LIMIT %s', relation, ordering, nearer + 1))
    - CASE nearer WHEN 0 THEN 0 ELSE pages_of(format('SELECT id FROM %s ORDER BY %s LIMIT %s', relation, ordering, nearer)) END < 12;
  RETURN NEXT;
END $$;

CREATE INDEX ties_p ON ties USING xtree (p);
CREATE INDEX ties_b ON ties USING xtree (b);
CREATE INDEX ties_c ON ties USING xtree (c);
CREATE INDEX ties_y ON ties USING xtree (y);
CREATE INDEX ties_r ON ties USING xtree (r float4_vector_ops);
CREATE INDEX ties_v ON ties USING xtree (v float8_vector_ops);
SELECT cost.* FROM unnest(ARRAY[
  $$p <-> point '(3.3,4.7)'$$, $$p <-> point '(3.1,4.2)'$$, $$p <-> point '(3.3,4.6)'$$, $$p <-> point '(-1e3,1e2)'$$,
  $$b <-> point '(4,5)'$$, $$b <-> point '(3,6)'$$, $$b <-> point '(2.9,4.1)'$$, $$b <-> point '(5.9,8.1)'$$,
  $$c <-> point '(3,4)'$$, $$c <-> point '(4.5,4)'$$, $$y <-> point '(5,3)'$$,
  $$r <-> '{1.1,2.2,3.3}'$$, $$r <-> '{1,2,3}'$$, $$r <+> '{1.1,2.2,3.3}'$$, $$r <+> '{1,2,3}'$$,
  $$v <-> '{1.1,2.2,3.3}'$$, $$v <-> '{1,2,3}'$$, $$v <+> '{1.1,2.2,3.3}'$$, $$v <+> '{1,2,3}'$$]) ordering, cost_of_ties('ties', ordering) cost;
SELECT ordering, (agree(format('SELECT %s FROM ties ORDER BY 1', ordering))).*
FROM unnest(ARRAY[$$p <-> point '(3.1,4.2)'$$, $$b <-> point '(2.9,4.1)'$$, $$c <-> point '(4.5,4)'$$, $$c <-> point '(7,9)'$$, $$y <-> point '(5,3)'$$, $$y <-> point '(9,9)'$$,
  $$r <-> '{1,2,3}'$$, $$v <+> '{1,2,3}'$$]) ordering;

-- Scalars, by btree_gist's operators.
SET client_min_messages = warning;
CREATE EXTENSION xtree_btree_gist CASCADE;
CREATE TABLE scalar_ties AS SELECT i AS id, 7 AS i4, 7.7::float8 AS f8, timestamptz '2024-01-01 00:00+00' AS tz, interval '1 day 3 hours' AS iv
FROM generate_series(1, 20000) i;
CREATE INDEX scalar_ties_i4 ON scalar_ties USING xtree (i4);
CREATE INDEX scalar_ties_f8 ON scalar_ties USING xtree (f8);
CREATE INDEX scalar_ties_tz ON scalar_ties USING xtree (tz);
CREATE INDEX scalar_ties_iv ON scalar_ties USING xtree (iv);
SELECT ordering, pages_of(format('SELECT id FROM scalar_ties ORDER BY %s LIMIT 1', ordering)) < 12 AS few
FROM unnest(ARRAY['i4 <-> 7', 'i4 <-> 3', 'f8 <-> 7.7', 'f8 <-> 1.3', $$tz <-> '2024-01-01 00:00+00'$$, $$tz <-> '2023-05-01 00:00+00'$$,
  $$iv <-> '1 day 3 hours'$$, $$iv <-> '2 days'$$]) ordering;

-- Inserted one by one, and beside another column, whose dimension decides among the ties.
CREATE TABLE grown_ties (LIKE ties);
CREATE INDEX grown_ties_p ON grown_ties USING xtree (p, id);
INSERT INTO grown_ties SELECT * FROM ties;
SELECT pages_of($$SELECT id FROM grown_ties ORDER BY p <-> '(3.3,4.7)' LIMIT 1$$) < 15 AS few;
SELECT pages_of($$SELECT id FROM grown_ties WHERE id <= 20000 ORDER BY p <-> '(3.1,4.2)' LIMIT 1$$) < 15 AS few;
SELECT (agree($$SELECT p <-> '(3.1,4.2)' FROM grown_ties ORDER BY 1$$)).*;

-- Neighbours by a last bit, at distances that pg_hypot does not keep in order.
CREATE TABLE bits AS SELECT p FROM (SELECT point(0.1 + i * 2.0 ^ -55, 0.1 + j * 2.0 ^ -55) AS p FROM generate_series(0, 60) i, generate_series(0, 60) j) s;
CREATE INDEX bits_p ON bits USING xtree (p);
SELECT q, (agree(format('SELECT p <-> %L FROM bits ORDER BY 1', q))).* FROM unnest('{"(0,0)", "(0.05,0)", "(0.02,0.3)", "(1e-9,0.01)"}'::point[]) q;
CREATE TABLE bit_boxes AS SELECT box(p, point(0.3, 0.3)) AS b FROM bits;
CREATE INDEX bit_boxes_b ON bit_boxes USING xtree (b);
SELECT q, (agree(format('SELECT b <-> point %L FROM bit_boxes ORDER BY 1', q))).* FROM unnest('{"(0,0)", "(0.05,0)", "(0.02,0.3)"}'::point[]) q;

SELECT xtree_check(relid, true) FROM (SELECT oid AS relid FROM pg_class WHERE relname ~ '^(grown_ties_|ties_|scalar_ties_|bits_|bit_boxes_)' AND relkind = 'i' ORDER BY relname) s;
DROP TABLE ties, scalar_ties, grown_ties, bits, bit_boxes;
DROP EXTENSION btree_gist CASCADE;
RESET client_min_messages;
