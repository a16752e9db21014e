/* xtree_cube 1.0: an operator class of xtree for contrib/cube, with the operators and strategy numbers of gist_cube_ops. */

\echo Use "CREATE EXTENSION xtree_cube" to load this file. \quit

CREATE FUNCTION xtree_cube_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_cube_options(pg_catalog.internal) RETURNS pg_catalog.void
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Types and operators are those of cube and xtree, by their schemas: another of the same name may stand before them in the search path.
DO $do$
DECLARE
  home pg_catalog.name;
  xtree pg_catalog.name;
BEGIN
  SELECT n.nspname INTO STRICT home FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'cube';
  SELECT n.nspname INTO STRICT xtree FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'xtree';
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS cube_ops DEFAULT FOR TYPE %1$I.cube USING xtree AS
      OPERATOR 3 %1$I.&& (%1$I.cube, %1$I.cube),
      OPERATOR 6 %1$I.= (%1$I.cube, %1$I.cube),
      OPERATOR 7 %1$I.@> (%1$I.cube, %1$I.cube),
      OPERATOR 8 %1$I.<@ (%1$I.cube, %1$I.cube),
      OPERATOR 15 %1$I.~> (%1$I.cube, pg_catalog.int4) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 16 %1$I.<#> (%1$I.cube, %1$I.cube) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 17 %1$I.<-> (%1$I.cube, %1$I.cube) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 18 %1$I.<=> (%1$I.cube, %1$I.cube) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 255 %2$I.@<= (pg_catalog.anyelement, pg_catalog.internal),
      FUNCTION 1 xtree_cube_support(pg_catalog.internal),
      FUNCTION 2 (%1$I.cube) xtree_cube_options(pg_catalog.internal);
    -- The same class under its peer's name.
    CREATE OPERATOR CLASS gist_cube_ops FOR TYPE %1$I.cube USING xtree FAMILY cube_ops AS STORAGE %1$I.cube;
  $sql$, home, xtree);
END $do$;
