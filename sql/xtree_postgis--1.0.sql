/* xtree_postgis 1.0: operator classes of xtree for PostGIS, with the operators and strategy numbers of its classes for GiST. */

\echo Use "CREATE EXTENSION xtree_postgis" to load this file. \quit

CREATE FUNCTION xtree_geometry_2d_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_geometry_nd_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_geometry_3d_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_geography_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- The parameter read_whole.
CREATE FUNCTION xtree_geometry_options(pg_catalog.internal) RETURNS pg_catalog.void
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Types and operators are those of postgis and xtree, by their schemas: another of the same name may stand before them in the search path.
DO $do$
DECLARE
  home pg_catalog.name;
  xtree pg_catalog.name;
BEGIN
  SELECT n.nspname INTO STRICT home FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'postgis';
  SELECT n.nspname INTO STRICT xtree FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'xtree';
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS geometry_ops_2d DEFAULT FOR TYPE %1$I.geometry USING xtree AS
      OPERATOR 1 %1$I.<< (%1$I.geometry, %1$I.geometry),
      OPERATOR 2 %1$I.&< (%1$I.geometry, %1$I.geometry),
      OPERATOR 3 %1$I.&& (%1$I.geometry, %1$I.geometry),
      OPERATOR 4 %1$I.&> (%1$I.geometry, %1$I.geometry),
      OPERATOR 5 %1$I.>> (%1$I.geometry, %1$I.geometry),
      OPERATOR 6 %1$I.~= (%1$I.geometry, %1$I.geometry),
      OPERATOR 7 %1$I.~ (%1$I.geometry, %1$I.geometry),
      OPERATOR 8 %1$I.@ (%1$I.geometry, %1$I.geometry),
      OPERATOR 9 %1$I.&<| (%1$I.geometry, %1$I.geometry),
      OPERATOR 10 %1$I.<<| (%1$I.geometry, %1$I.geometry),
      OPERATOR 11 %1$I.|>> (%1$I.geometry, %1$I.geometry),
      OPERATOR 12 %1$I.|&> (%1$I.geometry, %1$I.geometry),
      OPERATOR 13 %1$I.<-> (%1$I.geometry, %1$I.geometry) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 14 %1$I.<#> (%1$I.geometry, %1$I.geometry) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 255 %2$I.@<= (pg_catalog.anyelement, pg_catalog.internal),
      FUNCTION 1 xtree_geometry_2d_support(pg_catalog.internal),
      FUNCTION 2 xtree_geometry_options(pg_catalog.internal)
  $sql$, home, xtree);
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS geometry_ops_nd FOR TYPE %1$I.geometry USING xtree AS
      OPERATOR 3 %1$I.&&& (%1$I.geometry, %1$I.geometry),
      OPERATOR 6 %1$I.~~= (%1$I.geometry, %1$I.geometry),
      OPERATOR 7 %1$I.~~ (%1$I.geometry, %1$I.geometry),
      OPERATOR 8 %1$I.@@ (%1$I.geometry, %1$I.geometry),
      OPERATOR 13 %1$I.<<->> (%1$I.geometry, %1$I.geometry) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 20 %1$I.|=| (%1$I.geometry, %1$I.geometry) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 255 %2$I.@<= (pg_catalog.anyelement, pg_catalog.internal),
      FUNCTION 1 xtree_geometry_nd_support(pg_catalog.internal),
      FUNCTION 2 xtree_geometry_options(pg_catalog.internal)
  $sql$, home, xtree);
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS geometry_ops_3d FOR TYPE %1$I.geometry USING xtree AS
      OPERATOR 3 %1$I.&/& (%1$I.geometry, %1$I.geometry),
      OPERATOR 6 %1$I.~== (%1$I.geometry, %1$I.geometry),
      OPERATOR 7 %1$I.@>> (%1$I.geometry, %1$I.geometry),
      OPERATOR 8 %1$I.<<@ (%1$I.geometry, %1$I.geometry),
      FUNCTION 1 xtree_geometry_3d_support(pg_catalog.internal)
  $sql$, home);
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS geography_ops DEFAULT FOR TYPE %1$I.geography USING xtree AS
      OPERATOR 3 %1$I.&& (%1$I.geography, %1$I.geography),
      OPERATOR 13 %1$I.<-> (%1$I.geography, %1$I.geography) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 255 %2$I.@<= (pg_catalog.anyelement, pg_catalog.internal),
      FUNCTION 1 xtree_geography_support(pg_catalog.internal),
      FUNCTION 2 xtree_geometry_options(pg_catalog.internal)
  $sql$, home, xtree);
  -- The same classes under their peers' names, which tools write.
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS gist_geometry_ops_2d FOR TYPE %1$I.geometry USING xtree FAMILY geometry_ops_2d AS STORAGE %1$I.geometry;
    CREATE OPERATOR CLASS gist_geometry_ops_nd FOR TYPE %1$I.geometry USING xtree FAMILY geometry_ops_nd AS STORAGE %1$I.geometry;
    CREATE OPERATOR CLASS spgist_geometry_ops_3d FOR TYPE %1$I.geometry USING xtree FAMILY geometry_ops_3d AS STORAGE %1$I.geometry;
    CREATE OPERATOR CLASS gist_geography_ops FOR TYPE %1$I.geography USING xtree FAMILY geography_ops AS STORAGE %1$I.geography;
  $sql$, home);
END $do$;
