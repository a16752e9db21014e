-- Operator classes of ordered scalars: every comparison, also with an argument of another type of the family, gives through
-- the index what it gives without.

SET datestyle = 'ISO';
SET timezone = 'Europe/Paris';

CREATE TABLE scalars (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, d date, ts timestamp, tz timestamptz);
-- Ordinary values, ...
INSERT INTO scalars
SELECT g % 300 - 100, (g * 7919) % 1000 - 500, (g * 104729) % 100000, (g % 70) / 7.0, (g % 110) / 11.0, (g % 130) / 13.0,
  date '2023-01-01' + g % 400, timestamp '2023-10-28 00:00' + g % 100 * interval '30 min',
  timestamptz '2023-10-28 00:00+00' + g % 100 * interval '30 min'
FROM generate_series(1, 400) g;
-- ... NULLs, and the ends and other peculiar places of each type.
INSERT INTO scalars (i2) VALUES (NULL), (32767), (-32768), (0), (-1);
INSERT INTO scalars (i4) VALUES (2147483647), (-2147483648), (32768), (-32769), (0), (-1);
INSERT INTO scalars (i8) VALUES (9223372036854775807), (-9223372036854775808), (9007199254740993), (9007199254740992),
  (2147483648), (-2147483649), (0), (-1);
INSERT INTO scalars (f4) VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('0'), ('1e-45'), ('-1e-45'),
  ('3.4028235e38'), ('0.1'), ('16777216'), ('16777218');
INSERT INTO scalars (f8) VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('0'), ('5e-324'), ('-5e-324'),
  ('1.7976931348623157e308'), ('0.1'), (0.1::float4), ('16777217'), ('1e-46'), ('3.5e38');
INSERT INTO scalars (n) VALUES ('NaN'), ('Infinity'), ('-Infinity'), (0), (1e-400), (-1e-400), (1e400), (2e400), (-1e400),
  (0.1), (0.10000000000000000000000001), (9007199254740992), (9007199254740993), (9007199254740992.5),
  (123456789012345678901234567890);
INSERT INTO scalars (d) VALUES ('infinity'), ('-infinity'), ('4713-01-01 BC'), ('5874897-12-31'), ('294276-12-31'),
  ('294277-01-01'), ('2023-03-26'), ('2023-10-29'), ('2023-10-30');
INSERT INTO scalars (ts) VALUES ('infinity'), ('-infinity'), ('4713-11-24 00:00 BC'), ('294276-12-31 23:59:59.999999'),
  ('294276-12-31 10:00'), ('2023-03-26 02:30'), ('2023-10-29 02:30:00.000001'), ('1999-12-31 23:59:59.999999');
INSERT INTO scalars (tz) VALUES ('infinity'), ('-infinity'), ('4713-11-24 00:00+00 BC'), ('294276-12-31 23:59:59.999999+00'),
  ('294276-12-31 10:00+00'), ('2023-03-26 00:30+00'), ('2023-10-29 00:30:00.000001+00'), ('1999-12-31 23:59:59.999999+00');

CREATE INDEX scalars_i2 ON scalars USING xtree (i2);
CREATE INDEX scalars_i4 ON scalars USING xtree (i4);
CREATE INDEX scalars_i8 ON scalars USING xtree (i8);
CREATE INDEX scalars_f4 ON scalars USING xtree (f4);
CREATE INDEX scalars_f8 ON scalars USING xtree (f8);
CREATE INDEX scalars_n ON scalars USING xtree (n);
CREATE INDEX scalars_d ON scalars USING xtree (d);
CREATE INDEX scalars_ts ON scalars USING xtree (ts);
CREATE INDEX scalars_tz ON scalars USING xtree (tz);

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM scalars WHERE i4 < 2147483648::int8;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT i4 FROM scalars WHERE i4 < 5::int2;
EXPLAIN (COSTS OFF) SELECT n FROM scalars WHERE n = 0.1;
EXPLAIN (COSTS OFF) SELECT ts FROM scalars WHERE ts >= timestamptz '2023-10-29 00:30+00';
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Every column with arguments of every type of its family: the peculiar values of that type's own column, and an ordinary one.
CREATE TABLE types (family text, col text, type text);
INSERT INTO types VALUES ('integer', 'i2', 'int2'), ('integer', 'i4', 'int4'), ('integer', 'i8', 'int8'),
  ('float', 'f4', 'float4'), ('float', 'f8', 'float8'), ('numeric', 'n', 'numeric'),
  ('datetime', 'd', 'date'), ('datetime', 'ts', 'timestamp'), ('datetime', 'tz', 'timestamptz');
CREATE VIEW pairs AS
SELECT family, a.col, b.type AS argument, b.col AS source FROM types a JOIN types b USING (family);
CREATE FUNCTION arguments(col text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT %I::text FROM scalars WHERE %1$I IS NOT NULL AND num_nonnulls(i2, i4, i8, f4, f8, n, d, ts, tz) = 1
     UNION SELECT max(%1$I)::text FROM scalars WHERE i2 = 3', col);
END $$;
SELECT col, argument, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM pairs, arguments(source) value, unnest(ARRAY['<', '<=', '=', '>=', '>']) op,
  agree(format('SELECT %I FROM scalars WHERE %1$I %s %L::%s', col, op, value, argument))
GROUP BY col, argument ORDER BY min(family), col, argument;

-- Not equal.
SELECT col, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM types, arguments(col) value, agree(format('SELECT %I FROM scalars WHERE %1$I <> %L::%s', col, value, type))
GROUP BY col ORDER BY col;

-- The same instants where clocks jump otherwise.
SET timezone = 'America/New_York';
SELECT col, argument, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same
FROM pairs, arguments(source) value, unnest(ARRAY['<', '=', '>']) op,
  agree(format('SELECT %I FROM scalars WHERE %1$I %s %L::%s', col, op, value, argument))
WHERE family = 'datetime'
GROUP BY col, argument ORDER BY col, argument;
SET timezone = 'Europe/Paris';
-- In autumn two instants have this local time; a timestamp stands for the later one.
SELECT ts, tz FROM scalars WHERE ts = '2023-10-29 02:30' AND ts = timestamptz '2023-10-29 01:30+00' LIMIT 1;
SELECT count(*) FROM scalars WHERE ts = timestamptz '2023-10-29 00:30+00';

-- Integers, numerics and timestamps beyond 2^53 are not rounded; both zeros are one number but come back with their signs.
SELECT (agree('SELECT i8 FROM scalars WHERE i8 = 9007199254740993')).*;
SELECT (agree('SELECT n FROM scalars WHERE n BETWEEN 9007199254740992 AND 9007199254740992.7')).*;
SELECT (agree('SELECT f8 FROM scalars WHERE f8 = 0')).*;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT DISTINCT f8::text FROM scalars WHERE f8 = 0 ORDER BY 1;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Columns together.
CREATE INDEX scalars_mixed ON scalars USING xtree (i4, f4, d, tz, n);
SELECT (agree($$SELECT i4, f4 FROM scalars
  WHERE i4 BETWEEN -200 AND 100::int8 AND f4 > 2.5::float8 AND d < timestamp '2023-06-01 12:00'
  AND tz >= date '2023-10-28' AND n <= 7.5$$)).*;
SELECT (agree($$SELECT i4 FROM scalars WHERE f4 <= 'Infinity'::float8 AND i4 < 0 AND d IS NULL$$)).*;
SELECT (agree($$SELECT tz FROM scalars WHERE i4 IS NULL AND tz > timestamp '2023-03-26 02:30'$$)).*;

SELECT indexrelid::regclass, xtree_check(indexrelid::regclass, true)
FROM pg_index WHERE indrelid = 'scalars'::regclass ORDER BY 1;
DROP VIEW pairs;
DROP TABLE scalars, types;
DROP FUNCTION arguments;
