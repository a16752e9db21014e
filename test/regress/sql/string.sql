-- Operator classes of strings: every comparison gives through the index what it gives without, under every kind of collation.

CREATE COLLATION swiss (provider = icu, locale = 'de-CH');
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE strings (id int, c text COLLATE "C", d text, v varchar(60), s text COLLATE swiss, n text COLLATE caseless,
  p char(20) COLLATE "C", q char(20), b bytea);
INSERT INTO strings SELECT g, w, w, w, w, w, w, w, convert_to(w, 'UTF8')
FROM (SELECT g, (ARRAY['apple', 'Apple', 'banana', 'common prefix ', 'zebra', 'Öl', 'o'])[g % 7 + 1] || CASE WHEN g % 3 = 0 THEN (g % 40)::text ELSE '' END AS w
      FROM generate_series(1, 800) g) AS words;
INSERT INTO strings (c, d, v, s, n, p, q, b) SELECT w, w, w, w, w, w, w, convert_to(w, 'UTF8')
FROM unnest(ARRAY['', ' ', 'a', 'A', 'ab', 'a ', E'a\t', E'a\x01', 'ä', 'Ä', 'ß', 'ss', 'abcdefgh', 'abcdefghi', 'abcdefgi', 'öl', 'oel', E'\x7f', '~']) w;
INSERT INTO strings (b) VALUES ('\x'), ('\x00'), ('\x0000'), ('\xff'), ('\xffffffffffffffff'), ('\xffffffffffffffff00'), ('\x61'), ('\x6100');
INSERT INTO strings (c, d, b) SELECT w, w, w::bytea FROM (SELECT repeat('toasted ', 500) || g AS w FROM generate_series(1, 3) g) AS long;

CREATE TABLE types (col text, type text);
INSERT INTO types SELECT attname, CASE WHEN attname IN ('p', 'q') THEN 'bpchar' ELSE format_type(atttypid, NULL) END
FROM pg_attribute WHERE attrelid = 'strings'::regclass AND attnum > 1;
SELECT format('CREATE INDEX strings_%s ON strings USING xtree (%1$s)', col) FROM types \gexec

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM strings WHERE v = 'apple';
EXPLAIN (COSTS OFF) SELECT id FROM strings WHERE c LIKE 'abc%';
RESET enable_seqscan;

CREATE FUNCTION arguments(col text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT DISTINCT %I::text FROM strings WHERE %1$I IS NOT NULL AND length(%1$I) < 100 AND (id IS NULL OR id < 8)', col);
END $$;
SELECT col, count(*) AS queries, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM types, arguments(col) value, unnest(ARRAY['<', '<=', '=', '>=', '>', '<>']) op,
  agree(format('SELECT %I FROM strings WHERE %1$I %s %L::%s', col, op, value, type))
GROUP BY col ORDER BY col COLLATE "C";
SELECT (agree($$SELECT id FROM strings WHERE c LIKE 'common prefix 1%'$$)).*;
SELECT (agree($$SELECT id FROM strings WHERE c BETWEEN 'abcdefgh' AND 'abcdefgi'$$)).*;
SELECT (agree($$SELECT id FROM strings WHERE d = ANY ('{apple, NULL, zebra}')$$)).*;
-- Equal under this collation, though their bytes differ.
SELECT (agree($$SELECT n FROM strings WHERE n = 'APPLE'$$)).*;
-- Long values.
SELECT (agree($$SELECT md5(c) FROM strings WHERE c > 'toasted'$$)).*;
SELECT (agree($$SELECT md5(d) FROM strings WHERE d = repeat('toasted ', 500) || 2$$)).*;
-- A condition under another collation does not use the index.
SET enable_seqscan = off;
SELECT explain_plan($$SELECT id FROM strings WHERE s < 'm' COLLATE "C"$$);
RESET enable_seqscan;

SELECT indexrelid::regclass, xtree_check(indexrelid::regclass, true)
FROM pg_index WHERE indrelid = 'strings'::regclass ORDER BY 1;
DROP TABLE strings, types;
DROP FUNCTION arguments;
DROP COLLATION swiss;
DROP COLLATION caseless;
