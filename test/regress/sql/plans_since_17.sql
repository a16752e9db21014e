-- What the planner does with an xtree index from PostgreSQL 17 on: `= ANY` on a later column is a condition of ordered scans, and an order by distance
-- and more is sorted piece by piece above the index. Answers are those of the sequential scan.
-- Seen to fail: with a row taken out of the table that is scanned for the truth.
CREATE TABLE places AS
  SELECT i AS id, point(hashint4(i) % 1000, hashint4(-i) % 1000) AS p, i % 10 AS kind FROM generate_series(1, 20000) i;
CREATE INDEX places_p_kind ON places USING xtree (p, kind);
ANALYZE places;

EXPLAIN (COSTS OFF) SELECT id FROM places WHERE kind = ANY ('{2,5}') ORDER BY p <-> point '(500,500)' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM places ORDER BY p <-> point '(500,500)', id DESC LIMIT 5;

CREATE TABLE truth AS SELECT id, p <-> point '(500,500)' AS d FROM places WHERE kind IN (2, 5) ORDER BY d, id DESC LIMIT 50;
SELECT count(*) AS differences FROM
  (SELECT row_number() OVER () AS n, id, d FROM (SELECT id, p <-> point '(500,500)' AS d FROM places WHERE kind = ANY ('{2,5}') ORDER BY p <-> point '(500,500)', id DESC LIMIT 50) x) found
  FULL JOIN (SELECT row_number() OVER (ORDER BY d, id DESC) AS n, id, d FROM truth) t USING (n) WHERE found.id IS DISTINCT FROM t.id;
SELECT xtree_check('places_p_kind', true);
DROP TABLE places, truth;
