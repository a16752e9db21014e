-- Large geometries, compressed or out of line: CREATE INDEX reads no more of them than with GiST, which is their head with the box.
-- Seen to catch: whole values read by CREATE INDEX; a NaN not looked for in small values, or with read_whole (the
-- order is then an ERROR); keys that depend on where a value is stored (xtree_check finds another one).
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
-- Pages of the table's TOAST table that were looked at so far.
CREATE TABLE looks (what text, pages bigint);
CREATE FUNCTION look(what text) RETURNS void LANGUAGE sql AS
  $$ INSERT INTO looks SELECT what, toast_blks_read + toast_blks_hit FROM pg_statio_user_tables WHERE relname = 'parcels' $$;
CREATE FUNCTION times_gist(OUT what text, OUT times numeric) RETURNS SETOF record LANGUAGE sql AS $$
  WITH steps AS (SELECT l.what, pages - lag(pages) OVER (ORDER BY pages) AS pages FROM looks l)
  SELECT what, round(pages / (SELECT pages FROM steps WHERE what = 'gist'), 1) FROM steps WHERE pages IS NOT NULL ORDER BY what $$;
\set seen 'DO $$BEGIN PERFORM pg_stat_force_next_flush(); END$$; SELECT look'
CREATE TABLE parcels (id int, g geometry, e geography) WITH (autovacuum_enabled = off);
ALTER TABLE parcels ALTER g SET STORAGE EXTERNAL, ALTER e SET STORAGE EXTERNAL;
INSERT INTO parcels SELECT i, g, g::geography FROM generate_series(1, 200) i, ST_Buffer(ST_MakePoint(i % 20, i / 20), 0.7, 150) g;
SELECT min(ST_NPoints(g)) AS points, min(pg_column_size(g)) > 8000 AS large FROM parcels;
\pset tuples_only on
:seen ('');
CREATE INDEX parcels_gist ON parcels USING gist (g);
:seen ('gist');
CREATE INDEX parcels_g ON parcels USING xtree (g);
:seen ('xtree');
CREATE INDEX parcels_nd ON parcels USING xtree (g geometry_ops_nd);
:seen ('xtree nd');
CREATE INDEX parcels_e ON parcels USING xtree (e);
:seen ('xtree geography');
CREATE INDEX parcels_whole ON parcels USING xtree (g geometry_ops_2d (read_whole = true));
:seen ('xtree whole');
\pset tuples_only off
SELECT * FROM times_gist();

DROP INDEX parcels_gist, parcels_g, parcels_nd, parcels_e, parcels_whole;
-- Answers; also of values that are compressed in the row, and out of line, and of versions of both sizes.
ALTER TABLE parcels ALTER g SET STORAGE MAIN;
INSERT INTO parcels SELECT 1000 + i, ST_MakeLine(ARRAY(SELECT ST_MakePoint(i % 20 + j % 2, i / 20, 3) FROM generate_series(1, 400) j)) FROM generate_series(1, 200) i;
ALTER TABLE parcels ALTER g SET STORAGE EXTENDED;
INSERT INTO parcels SELECT 2000 + i, ST_MakeLine(ARRAY(SELECT ST_MakePoint(i % 20 + j % 50 * 0.01, i / 20) FROM generate_series(1, 1500) j)) FROM generate_series(1, 20) i;
INSERT INTO parcels SELECT 3000 + i, ST_MakePoint(i % 20, i / 20) FROM generate_series(1, 200) i;
SELECT min(pg_column_size(g)) < 2000 AS small, min(ST_MemSize(g)) > 9000 AS large FROM parcels WHERE id BETWEEN 1001 AND 1200;
CREATE INDEX parcels_g ON parcels USING xtree (g);
CREATE INDEX parcels_nd ON parcels USING xtree (g geometry_ops_nd);
CREATE INDEX parcels_e ON parcels USING xtree (e);
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '~', '@', '~=', '<<', '&<|', '&&&', '~~', '@@', '~~=']) op, unnest(ARRAY[7, 1033, 2005, 3077]) q,
  agree(format('SELECT id FROM parcels WHERE g %s (SELECT g FROM parcels WHERE id = %s)', op, q)) GROUP BY op ORDER BY op COLLATE "C";
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['<->', '<#>', '<<->>']) op, unnest(ARRAY[1150, 3077]) q,
  agree(format('SELECT g %s (SELECT g FROM parcels WHERE id = %s) FROM parcels ORDER BY g %1$s (SELECT g FROM parcels WHERE id = %2$s) LIMIT 100', op, q))
GROUP BY op ORDER BY op COLLATE "C";
SELECT sum(rows) AS rows, bool_and(same) AS same FROM unnest(ARRAY[7, 150]) q,
  agree(format('SELECT id FROM parcels WHERE e && (SELECT e FROM parcels WHERE id = %s)', q));

-- The stored box does not tell of a NaN: conditions are right nevertheless, because the operators compare that box. Distances are where the NaN is
-- noticed: in values of up to 2 kB, wherever they are, or with read_whole.
CREATE TABLE odd (id int, g geometry);
ALTER TABLE odd ALTER g SET STORAGE EXTERNAL;
INSERT INTO odd SELECT i, ST_MakePoint(i, 0) FROM generate_series(1, 300) i;
INSERT INTO odd SELECT 1000 + i, ST_MakeLine(ARRAY(SELECT ST_MakePoint(CASE j WHEN 500 THEN 'NaN'::float8 ELSE i + j * (j > 500)::int END, 5) FROM generate_series(1, 1000) j))
FROM generate_series(1, 20) i;
CREATE INDEX odd_g ON odd USING xtree (g);
SELECT op, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM unnest(ARRAY['&&', '~', '@', '>>']) op, unnest(ARRAY['POINT(7 5)', 'LINESTRING(600 0, 700 9)']) q,
  agree(format('SELECT id FROM odd WHERE g %s %L::geometry', op, q)) GROUP BY op ORDER BY op COLLATE "C";
DROP INDEX odd_g;
CREATE INDEX odd_whole ON odd USING xtree (g geometry_ops_2d (read_whole = true));
SELECT rows, same, nodes FROM agree($$SELECT g <-> 'POINT(7 4)' FROM odd ORDER BY g <-> 'POINT(7 4)' LIMIT 40$$);
CREATE INDEX odd_whole_nd ON odd USING xtree (g geometry_ops_nd (read_whole = true));
SELECT rows, same, nodes FROM agree($$SELECT g <<->> 'POINT(7 4)' FROM odd ORDER BY g <<->> 'POINT(7 4)' LIMIT 40$$);
CREATE TABLE small_odd (id int, g geometry, filler text);
ALTER TABLE small_odd ALTER g SET STORAGE EXTERNAL, ALTER filler SET STORAGE PLAIN;
INSERT INTO small_odd SELECT i, ST_MakePoint(i, 0), repeat('x', 1900) FROM generate_series(1, 300) i;
INSERT INTO small_odd SELECT 1000 + i, ST_MakeLine(ARRAY(SELECT ST_MakePoint(CASE j WHEN 50 THEN 'NaN'::float8 ELSE i + 9 * j * (j > 50)::int END, 5) FROM generate_series(1, 100) j)),
  repeat('x', 1900) FROM generate_series(1, 20) i;
CREATE INDEX small_odd_g ON small_odd USING xtree (g);
SELECT pg_relation_size(reltoastrelid) > 0 AS out_of_line FROM pg_class WHERE relname = 'small_odd';
SELECT rows, same, nodes FROM agree($$SELECT g <-> 'POINT(7 4)' FROM small_odd ORDER BY g <-> 'POINT(7 4)' LIMIT 40$$);
-- The same key whether a value is at hand or not.
CREATE TABLE grown (id int, g geometry, filler text);
CREATE INDEX grown_g ON grown USING xtree (g);
CREATE INDEX grown_whole ON grown USING xtree (g geometry_ops_2d (read_whole = true));
INSERT INTO grown SELECT id, ST_Translate(g, 0, 0), 'x' FROM odd;
INSERT INTO grown SELECT id, ST_Translate(g, 0, 0), filler FROM small_odd;
UPDATE grown SET filler = 'y' WHERE id % 2 = 0;
SELECT xtree_check('grown_g', true), xtree_check('grown_whole', true);
SELECT xtree_check(i::regclass, true) FROM unnest(ARRAY['parcels_g', 'parcels_nd', 'parcels_e', 'odd_whole', 'odd_whole_nd', 'small_odd_g']) i;
DROP TABLE parcels, odd, small_odd, grown, looks;
DROP FUNCTION look, times_gist;
DROP EXTENSION postgis CASCADE;
