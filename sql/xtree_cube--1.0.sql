/* xtree_cube 1.0: an operator class of xtree for contrib/cube, with the operators and strategy numbers of gist_cube_ops. */

\echo Use "CREATE EXTENSION xtree_cube" to load this file. \quit

CREATE FUNCTION xtree_cube_support(internal) RETURNS internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_cube_options(internal) RETURNS void
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR CLASS cube_ops DEFAULT FOR TYPE cube USING xtree AS
  OPERATOR 3 && (cube, cube),
  OPERATOR 6 = (cube, cube),
  OPERATOR 7 @> (cube, cube),
  OPERATOR 8 <@ (cube, cube),
  OPERATOR 15 ~> (cube, pg_catalog.int4) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 16 <#> (cube, cube) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 17 <-> (cube, cube) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 18 <=> (cube, cube) FOR ORDER BY pg_catalog.float_ops,
  FUNCTION 1 xtree_cube_support(pg_catalog.internal),
  FUNCTION 2 (cube) xtree_cube_options(pg_catalog.internal);
