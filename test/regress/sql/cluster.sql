-- CLUSTER by an X-tree: rows that are neighbours in space lie beside each other in the table, so a small window reads few of its pages.
-- By the index as CREATE INDEX built it (in memory, through temporary files), as inserts have grown it, and over several columns.
-- Seen to fail: with a leaf's rows in the order that the heap has them (tables of every index); with leaves in the order that their parents list them (after inserts).
SET client_min_messages = warning;
-- mean distance of a row to the next in the table, in units of the mean distance of a random row's neighbour; 1 or so along a good curve
CREATE FUNCTION step(homes regclass) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE result numeric;
BEGIN
  EXECUTE format('SELECT round((avg(d) / (20000 / sqrt(count(*))))::numeric, 1)
                    FROM (SELECT p <-> lag(p) OVER (ORDER BY ctid) AS d FROM %s) s', homes) INTO result;
  RETURN result;
END $$;
-- mean number of the table's pages that hold what is in a window of about 20 rows
CREATE FUNCTION pages_read(homes regclass) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE result numeric;
BEGIN
  EXECUTE format('SELECT round(avg(pages), 1) FROM generate_series(1, 200) i, LATERAL
    (SELECT point(hashint4(i) %% 9000, hashint4(-i) %% 9000) AS c, 10000 * sqrt(20.0 / count(*)) AS s FROM %s) w, LATERAL
    (SELECT count(DISTINCT split_part(ctid::text, '','', 1)) AS pages FROM %1$s WHERE p <@ box(point(c[0] - s, c[1] - s), point(c[0] + s, c[1] + s))) r', homes)
    INTO result;
  RETURN result;
END $$;

CREATE TABLE homes (id int, p point);
INSERT INTO homes SELECT i, point(hashint4(i) % 10000, hashint4(i + 1000000) % 10000) FROM generate_series(1, 20000) i;
CREATE INDEX homes_p ON homes USING xtree (p);
VACUUM ANALYZE homes;
SELECT step('homes') > 10 AS scattered, pages_read('homes') > 10 AS read_many;

CLUSTER homes USING homes_p;
SELECT step('homes') < 1.4 AS neighbours, pages_read('homes') < 3 AS read_few, count(*), sum(id) FROM homes;
SELECT xtree_check('homes_p', true);

-- again, after as many rows were inserted, one after another
INSERT INTO homes SELECT i, point(hashint4(i) % 10000, hashint4(i + 1000000) % 10000) FROM generate_series(20001, 40000) i;
SELECT step('homes') > 5 AS scattered;
CLUSTER homes;
SELECT step('homes') < 1.4 AS neighbours, pages_read('homes') < 3 AS read_few, count(*), sum(id) FROM homes;
-- with deleted and updated rows
DELETE FROM homes WHERE id % 3 = 0;
UPDATE homes SET p = point(p[1], p[0]) WHERE id % 3 = 1;
CLUSTER homes;
SELECT step('homes') < 1.4 AS neighbours, pages_read('homes') < 3 AS read_few, count(*), sum(id) FROM homes;
SELECT xtree_check('homes_p', true);

-- by an index that was built through temporary files
SET maintenance_work_mem = '1MB';
CREATE TABLE scattered AS SELECT * FROM homes ORDER BY hashint4(id);
CREATE INDEX scattered_p ON scattered USING xtree (p);
RESET maintenance_work_mem;
CLUSTER scattered USING scattered_p;
SELECT step('scattered') < 1.4 AS neighbours, pages_read('scattered') < 3 AS read_few, count(*), sum(id) FROM scattered;
SELECT xtree_check('scattered_p', true);

-- several columns of unlike units, values and none: every row is there, and those without a value lie together
CREATE TABLE mixed (id int, a int, r int4range, t timestamptz);
INSERT INTO mixed SELECT i, CASE WHEN i % 5 > 0 THEN hashint4(i) % 1000 END, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'empty' ELSE int4range(i, i + 100) END,
  CASE i % 1000 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE timestamptz '2020-01-01' + hashint4(-i) % 10000 * interval '1 hour' END
  FROM generate_series(1, 10000) i;
CREATE INDEX mixed_i ON mixed USING xtree (a, r, t);
CREATE TABLE before AS TABLE mixed;
CLUSTER mixed USING mixed_i;
SELECT count(*) FROM (TABLE mixed EXCEPT TABLE before) d;
SELECT count(*), count(a), count(r), sum(id) FROM mixed;
SELECT xtree_check('mixed_i', true);
-- a query's order is still that of the heap, a page after the other
VACUUM ANALYZE homes;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FILTER (WHERE a < b) < count(*) / 20 AS backwards_seldom
  FROM (SELECT ctid AS a, lag(ctid) OVER () AS b FROM (SELECT ctid FROM homes WHERE p <@ box(point(-9000, -9000), point(9000, 9000)) OFFSET 0) h) s;
DROP TABLE homes, scattered, mixed, before;
DROP FUNCTION step, pages_read;
