-- range_ops: every operator gives through the index what it gives without, for every kind of range type.

SET jit = off;  -- the costs of disabled scans would start it
SET datestyle = ISO;
SET timezone = 'UTC';

-- Ranges from every pair of bounds, and unbounded ones, each with all four kinds of ends, then empty and NULL.
CREATE FUNCTION ranges_of(type text, bounds text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  ranges text;
BEGIN
  FOR ranges IN
    SELECT format('%s%s,%s%s', opening, '"' || l || '"', '"' || u || '"', closing)
    FROM unnest(bounds || NULL::text) l, unnest(bounds || NULL::text) u, unnest('{[,(}'::text[]) opening,
      unnest('{],)}'::text[]) closing
  LOOP
    BEGIN
      EXECUTE format('SELECT %L::%s::text', ranges, type) INTO ranges;
      RETURN NEXT ranges;
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN  -- bounds in the wrong order, or no next value
    END;
  END LOOP;
  RETURN QUERY VALUES ('empty'), (NULL);
END $$;

CREATE TYPE clockrange AS RANGE (subtype = time);
CREATE TYPE floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE TYPE bigrange AS RANGE (subtype = int8);
CREATE FUNCTION int4_backwards(a int4, b int4) RETURNS int4 IMMUTABLE LANGUAGE sql AS 'SELECT btint4cmp(b, a)';
CREATE OPERATOR CLASS backwards FOR TYPE int4 USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 int4_backwards(int4, int4);
CREATE TYPE downrange AS RANGE (subtype = int4, subtype_opclass = backwards);

CREATE TABLE bounds (type text, bounds text[]);
INSERT INTO bounds VALUES
  ('int4range', '{-2147483648,-2147483647,0,1,7,2147483647}'),
  ('int8range', '{-9223372036854775808,-9223372036854775807,0,1,9007199254740993,9223372036854775806,9223372036854775807}'),
  ('numrange', '{-Infinity,-1e400,1,1.00000000000000000001,Infinity,NaN}'),
  ('daterange', '{-infinity,2000-01-01,2000-01-02,2000-01-04,5874897-12-31,infinity}'),
  ('tsrange', '{-infinity,2000-01-01,2000-01-01 00:00:00.000001,148200-01-01,294276-12-31,infinity}'),
  ('tstzrange', '{-infinity,4713-01-01 BC,2000-01-01,2000-01-02,148200-01-01,infinity}'),
  ('clockrange', '{00:00,00:00:00.000001,24:00}'),
  ('floatrange', '{-Infinity,-0,0,5e-324,Infinity,NaN}'),
  ('textrange', '{"",a,ab,zzz}'),
  ('bigrange', '{-9223372036854775808,0,1,4611686018427387889,9223372036854775807}'),
  ('downrange', '{9,2,1,0}');

-- Per type a table of those ranges, to be asked with, and of multiranges with a gap, and one to be indexed: half of its rows before, half after.
DO $$
DECLARE
  kind record;
BEGIN
  FOR kind IN SELECT * FROM bounds LOOP
    EXECUTE format('CREATE TABLE plain AS SELECT row_number() OVER (ORDER BY r) AS n, r FROM (SELECT DISTINCT r::%1$s FROM ranges_of(%1$L, %2$L) r) d', kind.type, kind.bounds);
    EXECUTE format('CREATE TABLE ask_%s AS SELECT n, r, multirange(r) + (SELECT multirange(o.r) FROM plain o WHERE o.n = (p.n * 7 + 3) %% 40) AS m
      FROM plain p', kind.type);
    DROP TABLE plain;
    EXECUTE format('CREATE TABLE t_%s AS SELECT n, r FROM ask_%1$s', kind.type);
    EXECUTE format('CREATE INDEX i_%s ON t_%1$s USING xtree (r)', kind.type);
    EXECUTE format('INSERT INTO t_%s SELECT n + 1000, r FROM ask_%1$s', kind.type);
  END LOOP;
END $$;
INSERT INTO t_int4range SELECT 5000 + g, int4range(g * 7919 % 500, g * 7919 % 500 + g % 9) FROM generate_series(1, 150) g;
INSERT INTO t_int8range SELECT 5000 + g, int8range(g * 7919 % 500, g * 7919 % 500 + g % 9) FROM generate_series(1, 150) g;
INSERT INTO t_numrange SELECT 5000 + g, numrange(g * 7919 % 500, g * 7919 % 500 + g % 9) FROM generate_series(1, 150) g;
INSERT INTO t_daterange SELECT 5000 + g, daterange(day, day + g % 9)
FROM generate_series(1, 150) g, LATERAL (SELECT date '2000-01-01' + g * 7919 % 500) AS x (day);
INSERT INTO t_tsrange SELECT 5000 + g, tsrange(day, day + g % 9 * interval '7 hours', CASE g % 3 WHEN 0 THEN '[]' ELSE '[)' END)
FROM generate_series(1, 150) g, LATERAL (SELECT timestamp '2000-01-01' + g * 7919 % 500 * interval '6 hours') AS x (day);
SELECT type, xtree_check('i_' || type, true) FROM bounds;
VACUUM ANALYZE t_int4range, t_int8range, t_daterange, t_tsrange;
VACUUM t_numrange;  -- ANALYZE of its large numbers is an error in PostgreSQL 18

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT n FROM t_tsrange WHERE r && '[2000-01-05,2000-01-06)';
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT r FROM t_numrange WHERE r @> 17.5;
EXPLAIN (COSTS OFF) SELECT r FROM t_int4range WHERE r <@ int4range(3, 17);
EXPLAIN (COSTS OFF) SELECT r FROM t_int8range WHERE r -|- int8range(3, 17);
EXPLAIN (COSTS OFF) SELECT r FROM t_daterange WHERE r << daterange('2000-02-01', NULL);
EXPLAIN (COSTS OFF) SELECT r FROM t_int4range WHERE r && int4multirange(int4range(3, 17), int4range(30, 40));
EXPLAIN (COSTS OFF) SELECT r FROM t_int4range WHERE r = ANY ('{empty,"[1,2)"}');
RESET enable_bitmapscan;
RESET enable_seqscan;

-- Every operator, with each of those ranges, each as a multirange, as one with a gap, and each bound as an element. Ranges come
-- back from the index as they went in, where it holds them.
CREATE FUNCTION ask(what text, operators text[], argument text)
RETURNS TABLE (type text, op text, rows bigint, same boolean, nodes text) LANGUAGE sql AS $$
  SELECT b.type, op, a.*
  FROM bounds b, unnest(operators) op,
    agree(format('SELECT q.n AS ask, %s FROM ask_%s q JOIN t_%2$s t ON t.r %s ' || argument, what, b.type, op)) a
  ORDER BY b.type COLLATE "C", op COLLATE "C"
$$;
SELECT * FROM ask('t.r', '{&&,@>,<@,=,<<,>>,&<,&>,-|-}', 'q.r');
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM ask('t.n', '{&&,@>,<@,<<,>>,&<,&>,-|-}', 'multirange(q.r) AND q.n %% 3 = 0') GROUP BY op ORDER BY op COLLATE "C";
SELECT op, sum(rows) AS rows, bool_and(same) AS same
FROM ask('t.n', '{&&,@>,<@,<<,>>,&<,&>,-|-}', 'q.m AND q.n %% 3 = 1') GROUP BY op ORDER BY op COLLATE "C";
SELECT type, rows, same FROM ask('t.n', '{@>}', 'lower(q.r) AND q.n %% 2 = 0');
SELECT type, rows, same FROM ask('t.n', '{@>}', 'upper(q.r) AND q.n %% 2 = 1');

-- = ANY, NULL tests, conjunctions, a domain.
SELECT (agree($$SELECT r FROM t_int4range WHERE r = ANY ('{empty,"[1,2)","(,)",NULL}')$$)).*;
SELECT (agree($$SELECT r FROM t_daterange WHERE r && ANY ('{empty,"[2000-02-01,2000-02-03)","(,-infinity]",NULL}')$$)).*;
SELECT (agree('SELECT n FROM t_numrange WHERE r IS NULL')).*;
SELECT (agree($$SELECT r FROM t_int8range WHERE r && '[100,120)' AND NOT isempty(r) AND r >> '[103,106]'$$)).*;
CREATE DOMAIN week AS daterange CHECK (upper(value) - lower(value) <= 7);
CREATE TABLE weeks (w week);
INSERT INTO weeks SELECT daterange('2020-01-01'::date + g, '2020-01-08'::date + g) FROM generate_series(1, 300) g;
CREATE INDEX weeks_w ON weeks USING xtree (w);
SELECT (agree($$SELECT w FROM weeks WHERE w @> '2020-03-01'::date$$)).*;

-- Bounds of nodes are shown as numbers.
CREATE TEMP TABLE few (i int4range, j int8range, n numrange, t textrange);
CREATE INDEX few_all ON few USING xtree (i, j, n, t);
INSERT INTO few VALUES ('[1,4)', '[1,4)', '(1.5,2.5]', '[a,b]'), ('(,7)', '(,7)', '[2,)', '(,b]'), ('empty', NULL, 'empty', NULL);
SELECT lower, upper FROM xtree_nodes('few_all');
SELECT xtree_check('few_all', true);

-- Exclusion constraints.
CREATE TABLE bookings (room int, during tsrange, EXCLUDE USING xtree (room WITH =, during WITH &&));
INSERT INTO bookings VALUES (1, '[2024-01-01 10:00,2024-01-01 11:00)'), (1, '[2024-01-01 11:00,2024-01-01 12:00)'),
  (2, '[2024-01-01 10:30,2024-01-01 11:30)'), (1, 'empty'), (1, 'empty'), (1, NULL);
INSERT INTO bookings VALUES (1, '[2024-01-01 11:59,)');
INSERT INTO bookings VALUES (2, '(,2024-01-01 10:30]');
INSERT INTO bookings VALUES (2, '(,2024-01-01 10:30)'), (1, '[2024-01-01 12:00,)');
INSERT INTO bookings VALUES (1, '(2030-01-01,2030-01-02)') ON CONFLICT DO NOTHING;
CREATE TABLE shifts (who textrange, days daterange, EXCLUDE USING xtree (who WITH &&, days WITH &&) DEFERRABLE INITIALLY DEFERRED);
BEGIN;
INSERT INTO shifts VALUES ('[a,c)', '[2024-01-01,2024-01-05]'), ('[b,d)', '[2024-01-05,2024-01-06]');
UPDATE shifts SET days = '[2024-01-06,2024-01-07)' WHERE who = '[b,d)';
COMMIT;
BEGIN;
INSERT INTO shifts VALUES ('[bb,)', '(,2024-01-01]');
COMMIT;
SELECT count(*) FROM shifts;
SELECT xtree_check('bookings_room_during_excl', true), xtree_check('shifts_who_days_excl', true);

SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcname IN ('range_ops', 'multirange_ops')
  AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'xtree');
