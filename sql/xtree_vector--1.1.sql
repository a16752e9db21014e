/* xtree_vector 1.1: operator classes of xtree for pgvector's vector and halfvec, with its operators. */

\echo Use "CREATE EXTENSION xtree_vector" to load this file. \quit

CREATE FUNCTION xtree_pgvector_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION xtree_pghalfvec_support(pg_catalog.internal) RETURNS pg_catalog.internal
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- The parameter dims.
CREATE FUNCTION xtree_pgvector_options(pg_catalog.internal) RETURNS pg_catalog.void
  AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- Types and operators are those of vector and xtree, by their schemas: another of the same name may stand before them in the search path.
DO $do$
DECLARE
  home pg_catalog.name;
  xtree pg_catalog.name;
  version pg_catalog.text;
BEGIN
  SELECT n.nspname, e.extversion INTO STRICT home, version FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'vector';
  SELECT n.nspname INTO STRICT xtree FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname = 'xtree';
  IF pg_catalog.to_regtype(pg_catalog.format('%I.halfvec', home)) IS NULL THEN
    RAISE 'xtree_vector does not work with version % of the extension vector', version
      USING ERRCODE = 'feature_not_supported', HINT = 'Install pgvector 0.7.0 or newer, and ALTER EXTENSION vector UPDATE.';
  END IF;
  EXECUTE pg_catalog.format($sql$
    CREATE OPERATOR CLASS vector_ops DEFAULT FOR TYPE %1$I.vector USING xtree AS
      OPERATOR 6 %1$I.= (%1$I.vector, %1$I.vector),
      OPERATOR 15 %1$I.<-> (%1$I.vector, %1$I.vector) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 16 %1$I.<+> (%1$I.vector, %1$I.vector) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 17 %1$I.<#> (%1$I.vector, %1$I.vector) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 18 %1$I.<=> (%1$I.vector, %1$I.vector) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 255 %2$I.@<= (pg_catalog.anyelement, pg_catalog.internal),
      FUNCTION 1 xtree_pgvector_support(pg_catalog.internal),
      FUNCTION 2 (%1$I.vector) xtree_pgvector_options(pg_catalog.internal);
    CREATE OPERATOR CLASS halfvec_ops DEFAULT FOR TYPE %1$I.halfvec USING xtree AS
      OPERATOR 6 %1$I.= (%1$I.halfvec, %1$I.halfvec),
      OPERATOR 15 %1$I.<-> (%1$I.halfvec, %1$I.halfvec) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 16 %1$I.<+> (%1$I.halfvec, %1$I.halfvec) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 17 %1$I.<#> (%1$I.halfvec, %1$I.halfvec) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 18 %1$I.<=> (%1$I.halfvec, %1$I.halfvec) FOR ORDER BY pg_catalog.float_ops,
      OPERATOR 255 %2$I.@<= (pg_catalog.anyelement, pg_catalog.internal),
      FUNCTION 1 xtree_pghalfvec_support(pg_catalog.internal),
      FUNCTION 2 (%1$I.halfvec) xtree_pgvector_options(pg_catalog.internal);
  $sql$, home, xtree);
END $do$;
