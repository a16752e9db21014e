# The types that the oracle knows, one record each. To add a type, add a record.
#
# A record holds
#   kinds   name => [factory of value generators, flag of a known deviation]
#   class   the type that the default operator class is declared for, where it is another one
#   needs   the extension that the type comes from
#   arg     sub (column, argument type): an SQL constant for an operator's right side
#   ops     argument type => operators; an operator with a commutator may turn round. A template over %1$s, the column, and
#           %2$s, the argument, is a function call that becomes an index condition
#   opclass what CREATE INDEX says after the column, where the default class needs parameters; several: one of them
#   knn     argument types of the ordering operators
#   unordered  further ones, for limits of distance without the order
#   metrics the ordering operators, where <-> is not the only one: a list, or argument type => list
#   shown   template over a distance: what equal ones have in common, where their texts differ
#   equal   the operator of exclusion constraints; none: the type is not used for them
#   ordered true where BETWEEN makes sense
#   one_sided operators that are not turned round
#   exprs   [expression template over the column, its type], never raising an error
# Client side only: talks to no server, takes no lock.
package Oracle::Types;
use strict;
use warnings;
use Oracle::Contrib qw(seg_kinds seg_arg goods_kinds goods_arg);
use Oracle::Cube qw(cube_kinds wide_cube_kinds cube_arg coordinate_arg);
use Oracle::Geometry qw(point_kinds box_kinds circle_kinds polygon_kinds point_arg box_arg polygon_arg circle_arg);
use Oracle::Postgis qw(any_kinds valid_kinds curved_kinds solid_kinds space_kinds body_kinds track_kinds place_kinds edge_kinds shape_arg solid_arg track_arg place_arg);
use Oracle::Range qw(range_kinds range_arg);
use Oracle::Scalar qw(scalar_kinds scalar_arg);
use Oracle::Vector qw(vector_kinds wide_kinds vector_arg window_arg stored_kinds stored_arg);
use Exporter 'import';
our @EXPORT_OK = qw(type_record type_names commuted is_call setup_statements);

my %COMMUTATOR = (
    '<' => '>', '<=' => '>=', '=' => '=', '>=' => '<=', '>' => '<',
    '<<' => '>>', '>>' => '<<', '<<|' => '|>>', '|>>' => '<<|', '&&' => '&&',
    '@>' => '<@', '<@' => '@>', '~=' => '~=', '<->' => '<->', '-|-' => '-|-', '<>' => '<>', '<<=' => '>>=', '>>=' => '<<=',
    '~' => '@', '@' => '~', '~~' => '@@', '@@' => '~~', '~~=' => '~~=', '&&&' => '&&&',
    '@>>' => '<<@', '<<@' => '@>>', '~==' => '~==', '&/&' => '&/&',
);
my %ARG = (point => \&point_arg, box => \&box_arg, polygon => \&polygon_arg, circle => \&circle_arg);

my %TYPES = (
    point => {
        kinds => point_kinds(),
        ops   => {
            point   => [ '<<', '>>', '<<|', '|>>', '<^', '>^', '~=' ],
            box     => ['<@'], polygon => ['<@'], circle => ['<@'],
        },
        knn   => ['point'],
        equal => '~=',
        exprs => [ [ 'point(%s[1], %s[0])', 'point' ], [ 'box(%s, %s)', 'box' ], [ "coalesce(%s, '(1,2)')", 'point' ] ],
    },
    box => {
        kinds => box_kinds(),
        ops   => {
            box => [ '&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>' ],
        },
        knn   => ['point'],
        equal => '~=',
        exprs => [ [ 'box(%s[1], %s[0])', 'box' ], [ '(%s)[0]', 'point' ], [ "coalesce(%s, '(1,2),(0,0)')", 'box' ] ],
    },
);

# area_type(name, kinds, expression): the shared record of circle and polygon.
sub area_type {
    my ($name, $kinds, $expression) = @_;
    $TYPES{$name} = {
        kinds => $kinds,
        ops   => { $name => [ '&&', '@>', '<@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>' ] },
        knn   => ['point'],
        equal => '~=',
        exprs => [ [ $expression, $name ] ],
    };
    return;
}

area_type('circle', circle_kinds(), "coalesce(%s, '<(1,2),3>')");
area_type('polygon', polygon_kinds(), "coalesce(%s, '((0,0),(1,2),(3,1))')");
# By its tolerance the other way round it may say something else, although it is declared its own commutator.
$TYPES{polygon}{one_sided} = { '&&' => 1 };

my %HAS_DISTANCE = map { $_ => 1 } qw(int2 int4 int8 float4 float8 oid money date time timestamp timestamptz interval);
my %SHOWN = (interval => 'interval_hash(%s)', float4 => '(%s) + 0', float8 => '(%s) + 0');

# ordered_type(name, other argument types...): the shared record of a scalar type.
sub ordered_type {
    my ($name, @others) = @_;
    my @ops = ('<', '<=', '=', '>=', '>');
    $TYPES{$name} = {
        kinds   => scalar_kinds($name),
        ops     => { $name => [ @ops, '<>' ], map { $_ => [@ops] } @others },
        knn     => $HAS_DISTANCE{$name} ? [$name] : [],
        shown   => $SHOWN{$name},
        equal   => '=',
        ordered => 1,
        exprs   => [ [ 'greatest(%s, %s)', $name ], [ 'coalesce(%s, %s)', $name ] ],
    };
    return;
}

ordered_type('int2', 'int4', 'int8');
ordered_type('int4', 'int2', 'int8');
ordered_type('int8', 'int2', 'int4');
ordered_type('float4', 'float8');
ordered_type('float8', 'float4');
ordered_type('numeric');
ordered_type('date', 'timestamp', 'timestamptz');
ordered_type('timestamp', 'date', 'timestamptz');
ordered_type('timestamptz', 'date', 'timestamp');
ordered_type($_) for qw(oid money time bool "char" macaddr macaddr8 timetz interval uuid text varchar bpchar char(40) bytea varbit bit(20)
    bit(100) oracle_enum oracle_c oracle_icu oracle_nd);
my %CLASS = ('bit(20)' => 'bit', 'bit(100)' => 'bit', 'char(40)' => 'bpchar', oracle_enum => 'anyenum',
    map { $_ => 'text' } qw(varchar oracle_c oracle_icu oracle_nd));
$TYPES{$_}{class} = $CLASS{$_} for keys %CLASS;

# cidr columns are served by the class of inet.
for my $name ('inet', 'cidr') {
    $TYPES{$name} = {
        kinds   => scalar_kinds($name),
        class   => 'inet',
        ops     => { inet => [ '&&', '=', '<>', '<', '<=', '>', '>=', '<<', '<<=', '>>', '>>=' ] },
        knn     => [],
        equal   => '=',
        ordered => 1,
        exprs   => [ [ 'set_masklen(%s, 20)', $name ], [ 'coalesce(%s, %s)', $name ] ],
    };
}

# range_type(range, multirange, element): the records of a range type and its multirange type.
sub range_type {
    my ($range, $multirange, $element) = @_;
    my @ops = ('&&', '@>', '<@', '<<', '>>', '&<', '&>', '-|-');
    for my $name ($range, $multirange) {
        $TYPES{$name} = {
            class => $name eq $range ? 'anyrange' : 'anymultirange',
            kinds => range_kinds($element, $name eq $multirange),
            arg   => sub { range_arg($_[0], $_[1], $_[1] eq $element ? 'element' : $_[1] eq $range ? 'range' : 'multirange', $element) },
            ops   => { map { $_ => [ @ops, $_ eq $name ? '=' : () ] } $range, $multirange },
            knn   => [],
            equal => '=',
            exprs => [ [ '%s * %s', $name ], [ "coalesce(%s, " . ($name eq $range ? "'empty'" : "'{}'") . "::$name)", $name ] ],
        };
        $TYPES{$name}{ops}{$element} = ['@>'];
    }
    return;
}

# Vectors of one length for each type, which the index is told.
for my $name ('float4', 'float8') {
    my $dims = $name eq 'float4' ? 6 : 2;
    $TYPES{"$name\[]"} = {
        kinds   => vector_kinds($name, $dims),
        arg     => sub { return $_[1] eq 'xtree_window' ? window_arg($_[0], $name, $dims) : vector_arg($_[0], $name, $dims) },
        ops     => { xtree_window => ['<@'] },
        knn     => ["$name\[]"],
        metrics => [ '<->', '<+>', '<#>', '<=>' ],
        opclass => "${name}_vector_ops (dims = $dims)",
        exprs   => [ [ 'coalesce(%s, ' . ($name eq 'float4' ? "'{1,2,3,4,5,6}'" : "'{1,2}'") . ')', "$name\[]" ] ],
    };
}

# Those of pgvector, in more and in fewer dimensions than four: its sums go four and eight at a time.
for my $name ('vector', 'halfvec') {
    my $dims = $name eq 'vector' ? 9 : 3;
    my $some = '[' . join(',', 1 .. $dims) . ']';
    $TYPES{$name} = {
        needs   => 'vector',
        kinds   => stored_kinds($name, $dims),
        arg     => sub { stored_arg($_[0], $name, $dims) },
        ops     => { $name => ['='] },
        knn     => [$name],
        metrics => [ '<->', '<+>', '<#>', '<=>' ],
        shown   => '(%s) + 0',
        equal   => '=',
        opclass => "${name}_ops (dims = $dims)",
        exprs   => [ [ "coalesce(%s, '$some')", $name ] ],
    };
}

# Vectors that are kept in clusters. `many`: one such column in an index, so that it has no more than a hundred dimensions as a tree, too.
for my $wide ([ oracle_sound => 'float4', 40 ], [ oracle_signal => 'float8', 27 ]) {
    my ($name, $element, $dims) = @$wide;
    $TYPES{$name} = {
        class   => "$element\[]",
        kinds   => wide_kinds($element, $dims),
        arg     => sub { return $_[1] eq 'xtree_window' ? window_arg($_[0], $element, $dims) : vector_arg($_[0], $element, $dims) },
        ops     => { xtree_window => ['<@'] },
        knn     => ["$element\[]"],
        metrics => [ '<->', '<+>', '<#>', '<=>' ],
        opclass => "${element}_vector_ops (dims = $dims)",
        exprs   => [ [ 'coalesce(%s, array_fill(1::' . "$element, ARRAY[$dims]))", $name ] ],
        many    => 1,
    };
}
for my $wide ([ oracle_embedding => 'vector', 33 ], [ oracle_halves => 'halfvec', 64 ]) {
    my ($name, $base, $dims) = @$wide;
    $TYPES{$name} = { %{ $TYPES{$base} }, class => $base, kinds => stored_kinds($base, $dims), arg => sub { stored_arg($_[0], $base, $dims) },
        opclass => "${base}_ops (dims = $dims)", exprs => [], many => 1 };
}

# own_range(range, subtype): a range type over a subtype of one's own, and its multirange type.
sub own_range {
    my ($range, $element) = @_;
    range_type($range, $range =~ s/range$/multirange/r, $element);
    return;
}

range_type('int4range', 'int4multirange', 'int4');
range_type('int8range', 'int8multirange', 'int8');
range_type('numrange', 'nummultirange', 'numeric');
range_type('daterange', 'datemultirange', 'date');
range_type('tsrange', 'tsmultirange', 'timestamp');
range_type('tstzrange', 'tstzmultirange', 'timestamptz');
own_range('oracle_inetrange', 'inet');
own_range('oracle_uuidrange', 'uuid');
own_range('oracle_spanrange', 'interval');
own_range($_, 'text') for qw(oracle_crange oracle_textrange oracle_icurange);

# A domain is asked for what its base type can.
$TYPES{oracle_period} = { %{ $TYPES{tstzrange} }, exprs => [ [ '%s * %s', 'tstzrange' ] ] };

# cube_type(name, kinds, operator classes): cubes, or a domain over them.
sub cube_type {
    my ($name, $kinds, @classes) = @_;
    $TYPES{$name} = {
        needs   => 'cube',
        class   => 'cube',
        kinds   => $kinds,
        arg     => sub { return $_[1] eq 'int4' ? coordinate_arg() : cube_arg($_[0]) },
        ops     => { cube => [ '&&', '@>', '<@', '=' ] },
        knn     => [ 'cube', 'cube', 'int4' ],
        metrics => { cube => [ '<->', '<#>', '<=>' ], int4 => ['~>'] },
        opclass => \@classes,
        shown   => '(%s) + 0',
        equal   => '=',
        exprs   => [ [ 'cube_enlarge(%s, 0.5, 2)', $name ], [ "coalesce(%s, '(1,2)'::cube)", $name ] ],
    };
    return;
}

# The index has the first row's dimensions, or is told its own.
cube_type('cube', cube_kinds(), 'cube_ops', 'cube_ops', 'cube_ops (dims = 2)');
cube_type('oracle_cube', wide_cube_kinds(), 'cube_ops (dims = 1)', 'cube_ops (dims = 2)', 'cube_ops (dims = 5)', 'cube_ops (dims = 11)');

$TYPES{seg} = { needs => 'seg', kinds => seg_kinds(), arg => \&seg_arg, ops => { seg => [ '&&', '@>', '<@', '=', '<<', '>>', '&<', '&>' ] },
    knn => [], equal => '=', exprs => [ [ "coalesce(%s, '1 .. 2')", 'seg' ] ] };
for my $name (qw(ean13 isbn13 isbn)) {
    $TYPES{$name} = { needs => 'isn', kinds => goods_kinds($name), arg => \&goods_arg, ordered => 1, knn => [], equal => '=', exprs => [],
        ops => { map { $_ => [ '<', '<=', '=', '<>', '>=', '>' ] } $name, 'ean13' } };
}

# postgis_type(name, base type, kinds, argument generator, operators and calls, more): a type of PostGIS, or a domain over one.
sub postgis_type {
    my ($name, $base, $kinds, $arg, $ops, %more) = @_;
    $TYPES{$name} = { needs => 'postgis', class => $base, kinds => $kinds, arg => sub { return $arg->($_[0], $kinds) }, ops => { $base => $ops },
        knn => [$base], exprs => [ [ "coalesce(%s, 'POINT(1 2)')", $name ] ], %more };
    return;
}

# A call for each template; those that name a distance, with several.
sub calls { return map { my $call = $_; $call =~ /D\)$/ ? map { $call =~ s/D\)$/$_)/r } 0, 0.1, 5 : $call } @_ }

my @PLANE  = ('&&', '~', '@', '~=', '<<', '>>', '&<', '&>', '<<|', '|>>', '&<|', '|&>');
my @EITHER = map { ("$_(%1\$s, %2\$s)", "$_(%2\$s, %1\$s)") } qw(ST_Intersects ST_Contains ST_Within ST_Covers ST_CoveredBy ST_Touches ST_Crosses
    ST_Overlaps ST_Equals ST_ContainsProperly ST_OrderingEquals);
my @SOLID = ('&&&', '~~', '@@', '~~=');
my $ND    = 'geometry_ops_nd';
postgis_type('geometry', 'geometry', any_kinds(), \&shape_arg, \@PLANE, metrics => [ '<->', '<#>' ], equal => '~=');
postgis_type('oracle_curve', 'geometry', curved_kinds(), \&shape_arg, \@PLANE, metrics => ['<#>'], unordered => ['<->']);
postgis_type('oracle_shape', 'geometry', valid_kinds(), \&shape_arg,
    [ '&&', '~', '@', calls(@EITHER, 'ST_DWithin(%1$s, %2$s, D)', 'ST_DWithin(%2$s, %1$s, D)', 'ST_DFullyWithin(%1$s, %2$s, D)') ],
    metrics => [ '<->', '<#>' ]);
postgis_type('oracle_solid', 'geometry', solid_kinds(), \&solid_arg, \@SOLID, metrics => ['<<->>'], opclass => $ND);
postgis_type('oracle_space', 'geometry', space_kinds(), \&solid_arg, [ '&/&', '@>>', '<<@', '~==' ], opclass => 'geometry_ops_3d', knn => [], exprs => []);
postgis_type('oracle_track', 'geometry', track_kinds(), \&track_arg,
    \@SOLID, metrics => ['|=|'], opclass => $ND, exprs => []);
# Without m: PostGIS has an index asked for &&&, which counts m, by functions that do not.
postgis_type('oracle_body', 'geometry', body_kinds(), \&solid_arg,
    [ @SOLID, calls('ST_3DIntersects(%1$s, %2$s)', 'ST_3DDWithin(%1$s, %2$s, D)', 'ST_3DDFullyWithin(%2$s, %1$s, D)') ],
    metrics => ['<<->>'], opclass => $ND, exprs => []);
postgis_type('geography', 'geography', place_kinds(), \&place_arg,
    [ '&&', '&&', 'ST_Intersects(%1$s, %2$s)', 'ST_Covers(%1$s, %2$s)', 'ST_CoveredBy(%1$s, %2$s)', 'ST_Covers(%2$s, %1$s)',
        'ST_DWithin(%1$s, %2$s, 1000)', 'ST_DWithin(%2$s, %1$s, 300000)', 'ST_DWithin(%1$s, %2$s, 100000, false)' ]);
postgis_type('oracle_edge', 'geography', edge_kinds(), \&place_arg, ['&&']);

for my $name (keys %TYPES) {
    $TYPES{$name}{name} = $name;
    $TYPES{$name}{arg} //= sub {
        my ($column, $type) = @_;
        return $ARG{$type} ? $ARG{$type}->($column) : scalar_arg($column, $type);
    };
}

# Definitions of the oracle's own types: name => [what must be there, what CREATE says].
sub own_types {
    my %domain = (oracle_sound => 'float4[]', oracle_signal => 'float8[]', oracle_embedding => 'vector', oracle_halves => 'halfvec',
        oracle_cube => 'cube', oracle_edge => 'geography', oracle_period => 'tstzrange',
        oracle_c => 'text COLLATE "C"', oracle_icu => 'text COLLATE "en-x-icu"', oracle_nd => 'text COLLATE public.oracle_blind',
        map { $_ => 'geometry' } qw(oracle_shape oracle_curve oracle_solid oracle_space oracle_body oracle_track));
    my %range = (oracle_inetrange => 'inet', oracle_uuidrange => 'uuid', oracle_spanrange => 'interval', oracle_textrange => 'text',
        oracle_crange => 'text, collation = "C"', oracle_icurange => 'text, collation = "en-x-icu"');
    return (
        oracle_enum => [ 'text', "TYPE public.oracle_enum AS ENUM ('glad', 'ok', 'sad')" ],
        map({ $_ => [ $domain{$_} =~ /^(\w+)/, "DOMAIN public.$_ AS $domain{$_}" ] } keys %domain),
        map({ $_ => [ 'text', "TYPE public.$_ AS RANGE (subtype = $range{$_})" ] } keys %range),
    );
}

# Statements that create them, outside of the schema that each table gets anew.
sub setup_statements {
    my %own = own_types();
    return (
        q{CREATE COLLATION IF NOT EXISTS public.oracle_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)},
        map({ "DO \$\$ BEGIN IF to_regtype('public.$_') IS NULL AND to_regtype('$own{$_}[0]') IS NOT NULL THEN CREATE $own{$_}[1]; END IF; END \$\$" }
            sort keys %own),
        "ALTER TYPE public.oracle_enum ADD VALUE IF NOT EXISTS 'happy' BEFORE 'ok'",
    );
}

sub type_record {
    my ($name) = @_;
    return $TYPES{$name} // die "unknown type \"$name\"; known: " . join(', ', type_names()) . "\n";
}

sub type_names { my @names = sort keys %TYPES; return @names }

# Is an operator of a record a template of a function call?
sub is_call { return $_[0] =~ /%/ }

# The operator that means the same with its sides exchanged, or undef.
sub commuted { return $COMMUTATOR{ $_[0] } }

1;
