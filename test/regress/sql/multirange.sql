-- multirange_ops: every operator gives through the index what it gives without. The functions and tables of range.sql exist.

SET jit = off;  -- the costs of disabled scans would start it
SET datestyle = ISO;
SET timezone = 'UTC';

-- Multiranges of one to three ranges of each type, empty and unbounded ones among them, and NULL: half before the index is built.
CREATE TABLE kinds AS SELECT type, replace(type, 'range', 'multirange') AS multi FROM bounds;
DO $$
DECLARE
  kind record;
BEGIN
  FOR kind IN SELECT * FROM kinds LOOP
    EXECUTE format('CREATE TABLE m_%s AS SELECT n, multirange(r) AS m FROM ask_%1$s UNION ALL SELECT n + 1000, m FROM ask_%1$s
      UNION ALL SELECT a.n + 2000, a.m + b.m FROM ask_%1$s a JOIN ask_%1$s b ON b.n = (a.n * 11) %% 17', kind.type);
    EXECUTE format('CREATE TEMP TABLE late AS SELECT * FROM m_%s WHERE n >= 1000', kind.type);
    EXECUTE format('DELETE FROM m_%s WHERE n >= 1000', kind.type);
    EXECUTE format('CREATE INDEX im_%s ON m_%1$s USING xtree (m)', kind.type);
    EXECUTE format('INSERT INTO m_%s SELECT * FROM late', kind.type);
    DROP TABLE late;
  END LOOP;
END $$;
SELECT type, xtree_check('im_' || type, true) FROM kinds;

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT n FROM m_int4range WHERE m && '[5,6)'::int4range;
EXPLAIN (COSTS OFF) SELECT m FROM m_int4range WHERE m <@ '{[5,6),[7,8)}'::int4multirange;
RESET enable_seqscan;

CREATE FUNCTION ask_multi(operators text[], argument text)
RETURNS TABLE (type text, op text, rows bigint, same boolean, nodes text) LANGUAGE sql AS $$
  SELECT k.multi, op, a.*
  FROM kinds k, unnest(operators) op,
    agree(format('SELECT q.n AS ask, t.n FROM (SELECT * FROM ask_%s WHERE n %% 3 = 0) q JOIN m_%1$s t ON t.m %s ' || argument, k.type, op)) a
$$;
-- With ranges, multiranges with gaps, and elements.
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM ask_multi('{&&,@>,<@,<<,>>,&<,&>,-|-}', 'q.r') GROUP BY op ORDER BY op COLLATE "C";
SELECT op, sum(rows) AS rows, bool_and(same) AS same
FROM ask_multi('{&&,@>,<@,=,<<,>>,&<,&>,-|-}', 'q.m') GROUP BY op ORDER BY op COLLATE "C";
SELECT type, rows, same FROM ask_multi('{@>}', 'lower(q.r)') ORDER BY type COLLATE "C";
SELECT (agree($$SELECT n FROM m_int4range WHERE m = ANY ('{"{}","{[1,7)}",NULL}')$$)).*;
SELECT (agree('SELECT n FROM m_int4range WHERE m IS NULL')).*;

-- Contained in the union that bridges its gaps, but not in the multirange.
CREATE TEMP TABLE gaps (m int4multirange);
INSERT INTO gaps VALUES ('{[1,10)}'), ('{[1,3),[8,10)}'), ('{[4,6)}'), ('{}');
CREATE INDEX gaps_m ON gaps USING xtree (m);
SELECT (agree($$SELECT m FROM gaps WHERE m <@ '{[1,3),[8,10)}'::int4multirange$$)).*;
SELECT (agree($$SELECT m FROM gaps WHERE m @> 5$$)).*;
SELECT xtree_check('gaps_m', true);

CREATE TABLE plans (what int4, days datemultirange, EXCLUDE USING xtree (what WITH =, days WITH &&));
INSERT INTO plans VALUES (1, '{[2024-01-01,2024-01-03),[2024-01-08,2024-01-10)}'), (1, '{[2024-01-03,2024-01-08)}'), (1, '{}'), (1, '{}');
INSERT INTO plans VALUES (1, '{[2023-01-01,2023-01-02),[2024-01-09,)}');
SELECT xtree_check('plans_what_days_excl', true);

SET client_min_messages = warning;
DO $$
DECLARE
  kind text;
BEGIN
  FOR kind IN SELECT type FROM bounds LOOP
    EXECUTE format('DROP TABLE ask_%s, t_%1$s, m_%1$s', kind);
  END LOOP;
END $$;
DROP TABLE bounds, kinds, plans, bookings, shifts, weeks;
