-- Nearest neighbours of scalars through btree_gist's operators, which xtree_btree_gist makes members of xtree's families: rows
-- come in the order in which a sort has them, also where distances need 64 bits, are infinite, wrap, or are of another type than
-- the column.
-- Seen to fail: with distances of integers as plain doubles, without the recheck of intervals, with intervals rechecked as doubles, with
-- the bound of timestamps that knows nothing of wrapping, and with dates at infinity as far as their ordinals say.

SET datestyle = 'ISO';
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET lc_monetary = 'C';
CREATE EXTENSION btree_gist;
CREATE EXTENSION xtree_btree_gist;

-- What belongs to it.
SELECT pg_describe_object(classid, objid, objsubid) AS member
FROM pg_depend JOIN pg_extension e ON refclassid = 'pg_extension'::regclass AND refobjid = e.oid
WHERE extname = 'xtree_btree_gist' AND deptype = 'e' ORDER BY 1;
SELECT opcname FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod WHERE amname = 'xtree' AND NOT amvalidate(c.oid);

CREATE TABLE scalars (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, m money, o oid, d date, t time, ts timestamp, tz timestamptz,
  iv interval);
INSERT INTO scalars
SELECT g % 300 - 100, (g * 7919) % 1000 - 500, 9007199254740992 + g * 31 % 500, (g % 70) / 7.0, (g % 110) / 11.0, (g * 104729 % 2000)::money / 7,
  g * 7919 % 1000, date '2023-01-01' + g % 400, time '00:00' + g % 96 * interval '15 min',
  timestamp '2023-10-28 00:00' + g % 100 * interval '30 min', timestamptz '2023-10-28 00:00+00' + g % 100 * interval '1 us',
  make_interval(months => g % 5, days => g % 61 - 30, secs => g % 7)
FROM generate_series(1, 600) g;
INSERT INTO scalars (i2) VALUES (NULL), (32767), (-32768), (0), (-1);
INSERT INTO scalars (i4) VALUES (2147483647), (-2147483648), (0), (-1), (2147483646);
INSERT INTO scalars (i8) VALUES (9223372036854775807), (9223372036854775806), (9223372036854775805), (-9223372036854775808),
  (-9223372036854775807), (0), (-1), (4611686018427387904), (4611686018427387903), (4611686018427387905);
INSERT INTO scalars (f4) VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('0'), ('1e-45'), ('3.4028235e38'), ('-3.4028235e38'),
  ('16777216'), ('16777218');
INSERT INTO scalars (f8) VALUES ('NaN'), ('Infinity'), ('-Infinity'), ('-0'), ('0'), ('5e-324'), ('1.7976931348623157e308'),
  ('-1.7976931348623157e308'), ('1e300'), (0.1), (0.1::float4);
INSERT INTO scalars (m) VALUES ('-92233720368547758.08'), ('92233720368547758.07'), ('92233720368547758.06'), (0), ('90071992547409.93');
INSERT INTO scalars (o) VALUES (0), (1), (2147483647), (2147483648), (4294967295);
INSERT INTO scalars (d) VALUES ('infinity'), ('-infinity'), ('4713-01-01 BC'), ('5874897-12-31'), ('2000-01-01');
INSERT INTO scalars (t) VALUES ('00:00'), ('24:00'), ('23:59:59.999999'), ('00:00:00.000001');
-- More than 2^63 microseconds lie between the first and the last timestamp.
INSERT INTO scalars (ts) SELECT x FROM unnest('{infinity, -infinity, 4713-11-24 00:00 BC, 4713-11-24 00:00:00.000001 BC,
  2000-01-01, 290000-01-01, 294276-12-31 23:59:59.999999}'::timestamp[]) x;
INSERT INTO scalars (tz) SELECT ts FROM scalars WHERE num_nonnulls(i2, ts) = 1;
INSERT INTO scalars (iv) VALUES ('1 month'), ('30 days'), ('720 hours'), ('0'), ('-1 month'), ('178000000 years'), ('178000000 years 1 microsecond'),
  ('-178000000 years'), ('-178000000 years -1 microsecond'), ('292271 years'), ('292272 years'), ('292272 years 1 microsecond'), ('293000 years'),
  ('-293000 years');

CREATE TABLE types (col text, type text);
INSERT INTO types SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'scalars'::regclass AND attnum > 0;
SELECT format('CREATE INDEX scalars_%s ON scalars USING xtree (%1$s)', col) FROM types \gexec
VACUUM ANALYZE scalars;

-- What it is answered with: index scans, index-only ones where keys are exact.
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT i4 FROM scalars ORDER BY i4 <-> 5 LIMIT 3;
EXPLAIN (COSTS OFF) SELECT i4, d FROM scalars WHERE i4 > 5 ORDER BY i4 <-> 5 LIMIT 3;
EXPLAIN (COSTS OFF) SELECT iv FROM scalars ORDER BY iv <-> '5 days' LIMIT 3;
SELECT i8 FROM scalars ORDER BY i8 <-> 9223372036854775807 LIMIT 3;
SELECT i4 FROM scalars ORDER BY i4 <-> 2147483647 LIMIT 2;
SELECT ts FROM scalars ORDER BY ts <-> '2000-01-01' LIMIT 1;
-- The operators' own errors, of rows that are reached.
SELECT i4 FROM scalars WHERE i4 < -600 ORDER BY i4 <-> 2147483647;
SELECT d FROM scalars ORDER BY d <-> 'infinity' LIMIT 1;
-- Dates at infinity come last.
SELECT d FROM scalars ORDER BY d <-> '4713-01-02 BC' OFFSET 601 LIMIT 2;
RESET enable_seqscan;

-- Every column with its peculiar values and some ordinary ones, without rows for which most arguments are an error: the same
-- distances in the same order (intervals by their hash, because the same span may have several texts), or an error.
CREATE FUNCTION arguments(col text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT DISTINCT %I::text FROM scalars WHERE %1$I IS NOT NULL
    AND (num_nonnulls(i2, i4, i8, f4, f8, m, o, d, t, ts, tz, iv) = 1 OR i2 IN (-100, 3, 199))', col);
END $$;
CREATE FUNCTION distances(col text, type text, value text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  answer text[];
  shown text := CASE WHEN col = 'iv' THEN 'interval_hash(%I <-> %L::%s)' WHEN col IN ('f4', 'f8') THEN '(%I <-> %L::%s) + 0' ELSE '%I <-> %L::%s' END;
  possible text := CASE WHEN col IN ('i2', 'i4', 'i8') THEN '%1$I > -2' WHEN col = 'm' THEN '%1$I > ''-0.02''::money'
    WHEN col = 'd' THEN '%1$I > ''-infinity'' AND %1$I < ''infinity''' WHEN col = 'f4' THEN '%1$I >= ''-1e30''' WHEN col = 'f8' THEN '%1$I >= ''-1e300'''
    ELSE '%1$I IS NOT NULL' END;
BEGIN
  EXECUTE format('SELECT array_agg(x::text) FROM (SELECT ' || shown || ' AS x FROM scalars WHERE ' || possible || ' ORDER BY %1$I <-> %2$L::%3$s) q',
    col, value, type) INTO answer;
  RETURN answer;
EXCEPTION WHEN data_exception THEN RETURN ARRAY[SQLSTATE];
END $$;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_bitmapscan = off;
CREATE TABLE truth AS SELECT col, type, value, distances(col, type, value) AS expected FROM types, arguments(col) value;
RESET enable_indexscan;
RESET enable_indexonlyscan;
SET enable_seqscan = off;
SET enable_sort = off;
-- (Which of them are errors depends on the version: intervals can be infinite from PostgreSQL 17 on.)
SELECT col, count(*) AS queries, bool_or(cardinality(expected) > 1) AS distances, bool_and(distances(col, type, value) = expected) AS same
FROM truth GROUP BY col ORDER BY col;
-- Where the whole column is too wide for the operator, the half around the argument.
SELECT (agree($$SELECT i8 <-> 9223372036854775807 FROM scalars WHERE i8 >= 0 ORDER BY i8 <-> 9223372036854775807$$)).*;
SELECT (agree($$SELECT i8 <-> (-9223372036854775807) FROM scalars WHERE i8 <= 0 ORDER BY i8 <-> (-9223372036854775807)$$)).*;
SELECT (agree($$SELECT i4 <-> 2147483647 FROM scalars WHERE i4 >= 0 ORDER BY i4 <-> 2147483647$$)).*;
SELECT (agree($$SELECT m <-> '92233720368547758.07'::money FROM scalars WHERE m >= 0::money ORDER BY m <-> '92233720368547758.07'::money$$)).*;
SELECT (agree($$SELECT d <-> '5874897-12-31' FROM scalars WHERE d > '4714-12-31 BC' AND d <= '5874897-12-31' ORDER BY d <-> '5874897-12-31'$$)).*;
SELECT (agree($$SELECT interval_hash(iv <-> '-178000000 years') FROM scalars WHERE iv <= '1000 years' ORDER BY iv <-> '-178000000 years'$$)).*;
-- NULL.
SELECT (agree('SELECT o IS NULL FROM scalars ORDER BY o <-> 3')).*;
SELECT (agree('SELECT count(*) FROM (SELECT FROM scalars ORDER BY i4 <-> NULL LIMIT 5) s')).*;

-- Several columns, filters among them. Of several distances, inexact ones are left to a sort.
RESET enable_sort;
CREATE INDEX scalars_mixed ON scalars USING xtree (i4, d, iv, tz);
EXPLAIN (COSTS OFF) SELECT i4 FROM scalars WHERE tz > '2023-10-28' ORDER BY i4 <-> 5, d <-> '2023-05-05' LIMIT 3;
SET enable_incremental_sort = off;  -- above the order of another index, from PostgreSQL 17 on
EXPLAIN (COSTS OFF) SELECT i4 FROM scalars WHERE tz > '2023-10-28' ORDER BY iv <-> '1 day', d <-> '2023-05-05' LIMIT 3;
RESET enable_incremental_sort;
SELECT (agree($$SELECT i4 <-> 5, d <-> '2023-05-05' FROM scalars WHERE tz > '2023-10-28' AND iv < '2 months'
  ORDER BY i4 <-> 5, d <-> '2023-05-05' LIMIT 30$$)).*;
-- A distance that the index only bounds, in a scan that could do without the rows.
CREATE INDEX scalars_covered ON scalars USING xtree (iv) INCLUDE (iv, t);
DROP INDEX scalars_iv, scalars_mixed;
SELECT explain_plan($$SELECT t FROM scalars ORDER BY iv <-> '1 day' LIMIT 3$$);
RESET enable_bitmapscan;
RESET enable_seqscan;

SELECT indexrelid::regclass, xtree_check(indexrelid::regclass, true)
FROM pg_index WHERE indrelid = 'scalars'::regclass ORDER BY 1;

-- Without the extension, the operators are a matter of sorting; the indexes stay.
DROP EXTENSION xtree_btree_gist;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT i4 FROM scalars ORDER BY i4 <-> 5 LIMIT 3;
RESET enable_seqscan;
CREATE EXTENSION xtree_btree_gist;
DROP EXTENSION btree_gist CASCADE;
DROP TABLE scalars, types, truth;
DROP FUNCTION arguments, distances;
