/* xtree_postgis 1.0: operator classes of xtree for PostGIS, with the operators and strategy numbers of its classes for GiST. */

\echo Use "CREATE EXTENSION xtree_postgis" to load this file. \quit

CREATE FUNCTION xtree_geometry_2d_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_geometry_nd_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_geography_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR CLASS geometry_ops_2d DEFAULT FOR TYPE geometry USING xtree AS
  OPERATOR 1 << (geometry, geometry),
  OPERATOR 2 &< (geometry, geometry),
  OPERATOR 3 && (geometry, geometry),
  OPERATOR 4 &> (geometry, geometry),
  OPERATOR 5 >> (geometry, geometry),
  OPERATOR 6 ~= (geometry, geometry),
  OPERATOR 7 ~ (geometry, geometry),
  OPERATOR 8 @ (geometry, geometry),
  OPERATOR 9 &<| (geometry, geometry),
  OPERATOR 10 <<| (geometry, geometry),
  OPERATOR 11 |>> (geometry, geometry),
  OPERATOR 12 |&> (geometry, geometry),
  OPERATOR 13 <-> (geometry, geometry) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 14 <#> (geometry, geometry) FOR ORDER BY pg_catalog.float_ops,
  FUNCTION 1 xtree_geometry_2d_support(pg_catalog.internal);

CREATE OPERATOR CLASS geometry_ops_nd FOR TYPE geometry USING xtree AS
  OPERATOR 3 &&& (geometry, geometry),
  OPERATOR 6 ~~= (geometry, geometry),
  OPERATOR 7 ~~ (geometry, geometry),
  OPERATOR 8 @@ (geometry, geometry),
  OPERATOR 13 <<->> (geometry, geometry) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 20 |=| (geometry, geometry) FOR ORDER BY pg_catalog.float_ops,
  FUNCTION 1 xtree_geometry_nd_support(pg_catalog.internal);

CREATE OPERATOR CLASS geography_ops DEFAULT FOR TYPE geography USING xtree AS
  OPERATOR 3 && (geography, geography),
  OPERATOR 13 <-> (geography, geography) FOR ORDER BY pg_catalog.float_ops,
  FUNCTION 1 xtree_geography_support(pg_catalog.internal);
