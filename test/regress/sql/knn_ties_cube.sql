-- Equal cubes, nearest first: see knn_ties.sql, whose functions are used here.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS xtree_cube CASCADE;
RESET client_min_messages;
-- The index returns contrib/cube's own distances, so that the executor need not see all ties.
CREATE TABLE cube_ties AS SELECT i AS id, CASE WHEN i % 100 = 0 THEN cube(ARRAY[i % 7, i % 11, i % 3]) ELSE '(1.1,2.2,3.3)' END AS p,
  CASE WHEN i % 100 = 0 THEN cube(ARRAY[i % 7, i % 11, i % 3], ARRAY[i % 5, i % 8, 4]) ELSE '(1.1,2.2,3.3),(4.4,5.5,6.6)' END AS b FROM generate_series(1, 20000) i;
CREATE INDEX cube_ties_p ON cube_ties USING xtree (p);
CREATE INDEX cube_ties_b ON cube_ties USING xtree (b);
SELECT cost.* FROM unnest('{"p", "b"}'::text[]) c, unnest('{"<->", "<#>", "<=>"}'::text[]) op,
  unnest('{"(1.1,2.2,3.3)", "(0.3,0.7,1.1)", "(0.3,0.7,1.1,0.2)", "(0.1,0.7),(0.3,7)"}'::text[]) q,
  cost_of_ties('cube_ties', format('%s %s %L::cube', c, op, q)) cost;
SELECT cost.* FROM unnest('{"p ~> 1", "p ~> -4", "b ~> 1", "b ~> -4"}'::text[]) ordering, cost_of_ties('cube_ties', ordering) cost;
SELECT op, bool_and(same) FROM unnest('{"<->", "<#>", "<=>"}'::text[]) op, unnest('{"(0.3,0.7,1.1)", "(0.3,0.7,1.1,0.2)", "(0.1,0.7),(0.3,7)"}'::text[]) q,
  agree(format('SELECT b %s %L::cube FROM cube_ties ORDER BY 1', op, q)) GROUP BY op ORDER BY op;
SELECT xtree_check('cube_ties_p', true), xtree_check('cube_ties_b', true);
DROP TABLE cube_ties;
SET client_min_messages = warning;
DROP EXTENSION cube CASCADE;
