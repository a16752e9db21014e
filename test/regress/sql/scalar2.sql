-- Operator classes of further ordered scalars: every comparison gives through the index what it gives without.

SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET lc_monetary = 'C';

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE scalars (o oid, m money, t time, b bool, c "char", mac macaddr, mac8 macaddr8, tz timetz, i interval, u uuid, e mood);
-- Ordinary values, ...
INSERT INTO scalars
SELECT g * 7919 % 1000, (g * 104729 % 2000 - 1000)::money / 7, time '00:00' + g % 96 * interval '15 min', g % 2 = 0,
  chr(g % 90 + 33)::"char", macaddr '08:00:2b:01:02:03', ('08002b01020304' || to_char(g % 90 + 10, 'FM00'))::macaddr8,
  (time '00:00' + g % 96 * interval '15 min')::text::timetz AT TIME ZONE make_interval(hours => g % 25 - 12),
  make_interval(months => g % 5, days => g % 61 - 30, secs => g % 7), md5((g % 50)::text)::uuid,
  (enum_range(NULL::mood))[g % 3 + 1]
FROM generate_series(1, 400) g;
-- ... NULLs, and the ends and other peculiar places of each type.
INSERT INTO scalars (o) VALUES (NULL), (0), (1), (2147483647), (2147483648), (4294967295);
INSERT INTO scalars (m) VALUES ('-92233720368547758.08'), ('92233720368547758.07'), (0), ('90071992547409.93');
INSERT INTO scalars (t) VALUES ('00:00'), ('24:00'), ('23:59:59.999999'), ('00:00:00.000001');
INSERT INTO scalars (b) VALUES (true), (false);
INSERT INTO scalars (c) VALUES (''), ('a'), ('\200'), ('\377'), ('\001');
INSERT INTO scalars (mac) VALUES ('00:00:00:00:00:00'), ('ff:ff:ff:ff:ff:ff'), ('7f:ff:ff:ff:ff:ff'), ('80:00:00:00:00:00');
INSERT INTO scalars (mac8) VALUES ('00:00:00:00:00:00:00:00'), ('ff:ff:ff:ff:ff:ff:ff:ff'), ('7f:ff:ff:ff:ff:ff:ff:ff'),
  ('80:00:00:00:00:00:00:00');
-- The same instant in many zones, ...
INSERT INTO scalars (tz) VALUES ('00:00+15:59:59'), ('24:00-15:59:59'), ('12:00+00'), ('13:00+01'), ('11:00-01'), ('12:00:00.000001+00'),
  (timetz '12:00+00' AT TIME ZONE interval '-20000 hours');
-- ... the same span in different words, spans beyond 64 bits, ...
INSERT INTO scalars (i) VALUES ('1 month'), ('30 days'), ('720 hours'), ('29 days 24:00:00'), ('0'), ('-1 month'), ('178000000 years'),
  ('178000000 years 1 microsecond'), ('-178000000 years'), ('-178000000 years -1 microsecond'), ('292271 years'), ('292272 years'),
  ('293000 years'), ('-293000 years');
-- ... and identifiers with a long common beginning.
INSERT INTO scalars (u) VALUES ('00000000-0000-0000-0000-000000000000'), ('ffffffff-ffff-ffff-ffff-ffffffffffff'),
  ('7fffffff-ffff-ffff-ffff-ffffffffffff'), ('80000000-0000-0000-0000-000000000000'), ('80000000-0000-0000-0000-000000000001'),
  ('80000000-0000-0000-ffff-ffffffffffff'), ('80000000-0000-0001-0000-000000000000');

CREATE TABLE types (col text, type text);
INSERT INTO types SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'scalars'::regclass AND attnum > 0;
SELECT format('CREATE INDEX scalars_%s ON scalars USING xtree (%1$s)', col) FROM types \gexec

SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT o FROM scalars WHERE o < 5;
EXPLAIN (COSTS OFF) SELECT i FROM scalars WHERE i = '1 month';
EXPLAIN (COSTS OFF) SELECT e FROM scalars WHERE e > 'sad';
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Every column with its peculiar values and some ordinary ones.
CREATE FUNCTION arguments(col text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT DISTINCT %I::text FROM scalars WHERE %1$I IS NOT NULL
     AND (num_nonnulls(o, m, t, b, c, mac, mac8, tz, i, u, e) = 1 OR o IN (0, 1, 10, 100, 250, 500))', col);
END $$;
-- (`b = true` is `b` to the planner, for which PostgreSQL 15 looks only at indexes of its own.)
SELECT col, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same,
  string_agg(DISTINCT nodes, ' ') FILTER (WHERE col <> 'b' OR op NOT IN ('=', '<>')) AS nodes
FROM types, arguments(col) value, unnest(ARRAY['<', '<=', '=', '>=', '>', '<>']) op,
  agree(format('SELECT %I FROM scalars WHERE %1$I %s %L::%s', col, op, value, type))
WHERE value !~ '-20000' -- which the type puts out but does not take in
GROUP BY col ORDER BY col;
SELECT (agree($$SELECT e FROM scalars WHERE e = ANY ('{sad, NULL, happy}') AND b$$)).*;
SELECT (agree($$SELECT i FROM scalars WHERE i < ANY ('{1 month, NULL, -3 days}')$$)).*;

-- New labels change the order of an enum, and its index answers by the new one.
ALTER TYPE mood ADD VALUE 'furious' BEFORE 'sad';
ALTER TYPE mood ADD VALUE 'content' AFTER 'ok';
ALTER TYPE mood RENAME VALUE 'happy' TO 'glad';
INSERT INTO scalars (e) SELECT l FROM unnest(enum_range(NULL::mood)) l, generate_series(1, 10);
SELECT op, sum(rows) AS rows, bool_and(same) AS same
FROM unnest(enum_range(NULL::mood)) value, unnest(ARRAY['<', '<=', '=', '>=', '>', '<>']) op,
  agree(format('SELECT e FROM scalars WHERE e %s %L', op, value))
GROUP BY op ORDER BY op COLLATE "C";
SET enable_seqscan = off;
SELECT e, count(*) FROM scalars WHERE e < 'glad' GROUP BY e ORDER BY e;
RESET enable_seqscan;

-- Columns together.
CREATE INDEX scalars_mixed ON scalars USING xtree (o, e, i, b, u);
SELECT (agree($$SELECT o FROM scalars WHERE o < 700 AND e <= 'ok' AND i > '1 day' AND b AND u < '80000000-0000-0000-0000-000000000000'$$)).*;

SELECT indexrelid::regclass, xtree_check(indexrelid::regclass, true)
FROM pg_index WHERE indrelid = 'scalars'::regclass ORDER BY 1;
DROP TABLE scalars, types;
DROP FUNCTION arguments;
DROP TYPE mood;
