-- Empty geometries, and those with a NaN, cost a window of others nothing: no row is fetched for them, and they are no reason to recheck the
-- rest. Answers are those of a sequential scan.
-- Seen to catch: empty geometries everywhere in an index of more dimensions (5,000 rows removed), z that counts in the plane (500 rows removed), a
-- NaN that makes every row of a scan doubtful (calls of the expression), one that passes for an ordinary box (same = f), a solid's
-- box looked for where its further flags are (500 rows removed).
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
CREATE FUNCTION removed(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  line text;
  rows bigint := 0;
BEGIN
  FOR line IN SELECT explain_analyze(query) LOOP
    rows := rows + coalesce(substring(line FROM 'Rows Removed by Index Recheck: (\d+)')::bigint, 0);
  END LOOP;
  RETURN rows;
END $$;

CREATE TABLE hollow (id int, g geometry);
INSERT INTO hollow SELECT i, ST_MakePoint(i % 25, i / 25, i % 7) FROM generate_series(1, 500) i;
INSERT INTO hollow SELECT 1000 + i, (ARRAY['POINT EMPTY', 'POLYGON EMPTY', 'LINESTRING Z EMPTY', 'MULTIPOINT ZM EMPTY', 'GEOMETRYCOLLECTION EMPTY']::geometry[])[1 + i % 5]
FROM generate_series(1, 5000) i;
CREATE INDEX hollow_2d ON hollow USING xtree (g) WHERE id > 0;
CREATE INDEX hollow_nd ON hollow USING xtree (g geometry_ops_nd);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT explain_analyze($$SELECT id FROM hollow WHERE g &&& 'LINESTRING(3 3 0, 5 5 9)'$$);
SELECT op, removed(format('SELECT id FROM hollow WHERE id > 0 AND g %s ''LINESTRING(3 3 0, 5 5 9)''', op))
FROM unnest(ARRAY['&&', '~', '@', '~=', '<<', '|>>', '&&&', '~~', '@@', '~~=']) op;
RESET enable_seqscan;
RESET enable_bitmapscan;
-- (PostGIS 3.5 has empty ones contain everything and lie within everything.)
SELECT op, sum(rows) > 0 AS found, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '~', '@', '~=', '&<', '&&&', '~~', '@@', '~~=']) op,
  unnest(ARRAY['LINESTRING(3 3 0, 5 5 9)', 'POINT EMPTY', 'POINT Z EMPTY', 'POINT(3 3)', 'POINT(NaN 3)', 'LINESTRING(1 1, 1e300 9)']) q,
  agree(format('SELECT id FROM hollow WHERE id > 0 AND g %s %L::geometry', op, q)) GROUP BY op ORDER BY op COLLATE "C";
-- Nearest first they come, at distance 0.
SELECT rows, same FROM agree($$SELECT g <<->> 'POINT(3 3 3)' FROM hollow ORDER BY g <<->> 'POINT(3 3 3)' LIMIT 5200$$);
SELECT rows, same FROM agree($$SELECT g <<->> 'POINT EMPTY' FROM hollow ORDER BY g <<->> 'POINT EMPTY' LIMIT 5200$$);
SELECT xtree_check('hollow_nd', true), xtree_check('hollow_2d', true);

-- A solid, with which PostGIS keeps more flags: as condition it is a box like any other (not 500 rows rechecked), and as value.
SET enable_seqscan = off;
SELECT removed($$SELECT id FROM hollow WHERE g &&& ST_3DMakeBox(ST_MakePoint(3, 3, 0), ST_MakePoint(5, 5, 9))::geometry$$);
RESET enable_seqscan;
CREATE TABLE solids (id int, g geometry);
INSERT INTO solids SELECT i, ST_3DMakeBox(ST_MakePoint(i % 25, i / 25, i % 7), ST_MakePoint(i % 25 + 1, i / 25 + 2, i % 7 + 1)) FROM generate_series(1, 500) i;
CREATE INDEX solids_g ON solids USING xtree (g);
CREATE INDEX solids_nd ON solids USING xtree (g geometry_ops_nd);
SET enable_seqscan = off;
SELECT op, removed(format('SELECT id FROM solids WHERE g %s ''LINESTRING(3 3 0, 5 5 9)''', op)) FROM unnest(ARRAY['&&', '&&&', '@@', '<<']) op;
RESET enable_seqscan;
SELECT op, sum(rows) AS rows, bool_and(same) AS same FROM unnest(ARRAY['&&', '~', '@', '<<', '&&&', '~~', '@@']) op, solids q,
  agree(format('SELECT id FROM solids WHERE g %s (SELECT g FROM solids WHERE id = %s)', op, q.id)) WHERE q.id % 37 = 0 GROUP BY op ORDER BY op COLLATE "C";
SELECT xtree_check('solids_g', true), xtree_check('solids_nd', true);

-- z that is NaN, as tools write it where they do not know one, is not the plane's business.
CREATE TABLE unknown_z (id int, g geometry);
INSERT INTO unknown_z SELECT i, ST_MakePoint(i % 25, i / 25, 'NaN') FROM generate_series(1, 500) i;
CREATE INDEX unknown_z_g ON unknown_z USING xtree (g);
SET enable_seqscan = off;
SELECT removed($$SELECT id FROM unknown_z WHERE g && 'LINESTRING(3 3, 5 5)'$$);
RESET enable_seqscan;
SELECT rows, same FROM agree($$SELECT id FROM unknown_z WHERE g && 'LINESTRING(3 3, 5 5)'$$);
SELECT rows, same FROM agree($$SELECT g <-> 'POINT(3.1 3.2)' FROM unknown_z ORDER BY g <-> 'POINT(3.1 3.2)'$$);
SELECT xtree_check('unknown_z_g', true);

-- Geometries with a NaN: rechecked are they, and not the rest.
CREATE SEQUENCE calls;
CREATE FUNCTION counted(geometry) RETURNS geometry LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM nextval('public.calls'); RETURN $1; END $$;
CREATE TABLE one_odd (id int, g geometry);
INSERT INTO one_odd SELECT i, ST_MakePoint(i % 25, i / 25) FROM generate_series(1, 500) i;
INSERT INTO one_odd VALUES (501, 'LINESTRING(4 4, NaN 9, 8 8, 9 9)'), (502, 'POINT(NaN 1)');
CREATE INDEX one_odd_2d ON one_odd USING xtree (counted(g));
CREATE INDEX one_odd_nd ON one_odd USING xtree (counted(g) geometry_ops_nd);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE FUNCTION calls_of(query text, OUT rows bigint, OUT calls bigint) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM setval('calls', 1);
  EXECUTE 'SELECT count(*) FROM (' || query || ') q' INTO rows;
  calls := nextval('calls') - 2;
END $$;
SELECT op, rows, calls FROM unnest(ARRAY['&&', '~', '@', '<<', '&&&', '@@']) op, calls_of(format('SELECT id FROM one_odd WHERE counted(g) %s %L::geometry', op, 'LINESTRING(2 2, 12 12)'));
-- also where a scan is ordered: distances are computed twice, once to be returned, of the 122 rows alone; the condition of those two
SELECT rows, calls FROM calls_of($$SELECT id FROM one_odd WHERE counted(g) && 'LINESTRING(2 2, 12 12)' ORDER BY counted(g) <-> 'POINT(3 3)'$$);
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '~', '@', '<<', '&&&', '@@', '~~', '~~=']) op, unnest(ARRAY['LINESTRING(2 2, 12 12)', 'POINT(3 3)', 'POINT(NaN 1)']) q,
  agree(format('SELECT id FROM one_odd WHERE counted(g) %s %L::geometry', op, q)) GROUP BY op ORDER BY op COLLATE "C";
SELECT rows, same FROM agree($$SELECT counted(g) <-> 'POINT(3 3)' FROM one_odd WHERE counted(g) && 'LINESTRING(2 2, 12 12)' ORDER BY counted(g) <-> 'POINT(3 3)'$$);
SELECT xtree_check('one_odd_2d', true), xtree_check('one_odd_nd', true);
DROP TABLE hollow, solids, unknown_z, one_odd;
DROP FUNCTION counted, calls_of, removed;
DROP SEQUENCE calls;
DROP EXTENSION postgis CASCADE;
