-- color 1.0: see color.c.
\echo Use "CREATE EXTENSION color" to load this file. \quit

CREATE TYPE color;
CREATE FUNCTION color_in(cstring) RETURNS color AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION color_out(color) RETURNS cstring AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE color (INPUT = color_in, OUTPUT = color_out, LIKE = int4);

CREATE FUNCTION color_eq(color, color) RETURNS bool AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION color_le(color, color) RETURNS bool AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION color_ge(color, color) RETURNS bool AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION color_distance(color, color) RETURNS float8 AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR = (FUNCTION = color_eq, LEFTARG = color, RIGHTARG = color, COMMUTATOR = =, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <= (FUNCTION = color_le, LEFTARG = color, RIGHTARG = color, COMMUTATOR = >=, RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR >= (FUNCTION = color_ge, LEFTARG = color, RIGHTARG = color, COMMUTATOR = <=, RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR <-> (FUNCTION = color_distance, LEFTARG = color, RIGHTARG = color, COMMUTATOR = <->);

CREATE FUNCTION color_support(internal) RETURNS internal AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS color_ops DEFAULT FOR TYPE color USING xtree AS
  OPERATOR 1 = (color, color),
  OPERATOR 2 <= (color, color),
  OPERATOR 3 >= (color, color),
  OPERATOR 4 <-> (color, color) FOR ORDER BY pg_catalog.float_ops,
  OPERATOR 255 @<= (anyelement, internal),
  FUNCTION 1 color_support(internal);
