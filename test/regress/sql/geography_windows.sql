-- A window over an expression that makes a geography: the expression is not computed again for the rows that the index is sure of, and nearly all are.
-- Boxes of short lines, which PostGIS does not store, are as narrow as its own.
-- Seen to catch: every row rechecked (calls = rows), boxes a little too small (same = f), lines along the great circle that end where they began.
SET client_min_messages = warning;
CREATE EXTENSION xtree_postgis CASCADE;
CREATE SEQUENCE calls;
CREATE FUNCTION place(lon float8, lat float8) RETURNS geography LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM nextval('public.calls'); RETURN public.ST_MakePoint(lon, lat)::public.geography; END $$;
CREATE FUNCTION calls_of(query text, OUT rows bigint, OUT calls bigint) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM setval('calls', 1);
  EXECUTE 'SELECT count(*) FROM (' || query || ') q' INTO rows;
  calls := nextval('public.calls') - 2;
END $$;
CREATE TABLE stops (id int, lon float8, lat float8);
INSERT INTO stops SELECT i, i % 50 * 0.1, i / 50 * 0.1 FROM generate_series(1, 2000) i;
CREATE INDEX stops_place ON stops USING xtree (place(lon, lat));
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT explain_analyze($$SELECT id FROM stops WHERE place(lon, lat) && 'POLYGON((0.95 0.95, 2.95 0.95, 2.95 2.95, 0.95 2.95, 0.95 0.95))'::geography$$);
SELECT rows, calls FROM calls_of($$SELECT id FROM stops WHERE place(lon, lat) && 'POLYGON((0.95 0.95, 2.95 0.95, 2.95 2.95, 0.95 2.95, 0.95 0.95))'::geography$$);
-- at the very edge of the window, some are
SELECT rows, calls > 0 AS rechecked, calls < 10 AS few FROM calls_of($$SELECT id FROM stops WHERE place(lon, lat) && 'POINT(1 1)'::geography$$);
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT sum(rows) AS rows, bool_and(same) AS same FROM unnest(ARRAY['POINT(1 1)', 'LINESTRING(0 0, 4.9 0)', 'LINESTRING(1 1, 1 2)', 'MULTIPOINT(1 1, 2 2)']) q,
  agree(format('SELECT id FROM stops WHERE place(lon, lat) && %L::geography', q));

-- Arcs of all lengths and directions, windows that end where they turn.
SELECT setseed(0.25);
CREATE TABLE arcs (id int, g geography);
INSERT INTO arcs SELECT i, ST_SetSRID(ST_MakeLine(ST_MakePoint(lon, lat), ST_MakePoint(lon + length * random(), greatest(-90, least(90, lat + (i % 3 - 1) * length * random())))), 4326)::geography
FROM generate_series(1, 1500) i, LATERAL (SELECT random() * 360 - 180 + i * 0 AS lon, (random() * 170 - 85) + i * 0 AS lat, power(10, random() * 10 - 8 + i * 0) AS length) r
WHERE lon + length < 180;
INSERT INTO arcs SELECT 2000 + i, g::geography FROM unnest(ARRAY['LINESTRING(10 40, 10 40)', 'LINESTRING(10 40, 10.0000000000001 40)', 'LINESTRING(10 40, 10.00000001 40)',
  'LINESTRING(0 0, 179.9999999 0)', 'LINESTRING(0 0, 179.99999 0.00001)', 'LINESTRING(10 80, -170 80)', 'LINESTRING(0 90, 50 -89)', 'LINESTRING(-10 50, 10 50)',
  'LINESTRING(90 -30, 90 30)', 'MULTILINESTRING((5 60, 50 60))', 'LINESTRING Z (5 60 3, 50 60 NaN)', 'MULTIPOINT(1 1)']) WITH ORDINALITY AS t(g, i);
CREATE INDEX arcs_g ON arcs USING xtree (g);
SELECT xtree_check('arcs_g', true), xtree_check('stops_place', true);
SELECT count(*) > 50 AS many, sum(rows) > 200 AS found, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM arcs q, agree(format('SELECT id FROM arcs WHERE g && (SELECT g FROM arcs WHERE id = %s)', q.id)) WHERE q.id % 31 = 0 OR q.id > 2000;
SELECT bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM arcs q, agree(format('SELECT g <-> (SELECT g FROM arcs WHERE id = %s) FROM arcs WHERE id < 2000 ORDER BY g <-> (SELECT g FROM arcs WHERE id = %1$s) LIMIT 200', q.id)) WHERE q.id % 311 = 0;
DROP TABLE stops, arcs;
DROP FUNCTION place, calls_of;
DROP SEQUENCE calls;
DROP EXTENSION postgis CASCADE;
