# Values and query arguments of PostGIS's geometry and geography, as text that PostGIS reads.
#
# "any" values are made to be strange: NaN, infinite (1e999), huge and tiny coordinates, curves, self-crossing rings,
# empty parts, several spatial reference systems. "valid" ones are what GEOS accepts, for the ST_ functions, which
# promise nothing of others. Arguments are values of the column, or points, lines and rectangles at its vertices.
# Client side only: talks to no server, takes no lock.
package Oracle::Postgis;
use strict;
use warnings;
use Oracle::Random;
use Exporter 'import';
our @EXPORT_OK = qw(any_kinds valid_kinds curved_kinds solid_kinds space_kinds body_kinds track_kinds place_kinds edge_kinds shape_arg solid_arg track_arg place_arg);

my @NASTY = ('NaN', '1e999', '-1e999', '-0', '0', '5e-324', '1e-40', '-1e-46', '1', '-1', '3.4028234e38', '3.4028235e38', '-3.5e38', '1e300', '-1.7e308');

# --- sources of numbers ----------------------------------------------------------------

sub grid   { my $n = pick(2, 4, 10, 40); return sub { irange(-$n, $n) } }
sub tenths { my $n = pick(5, 50, 500); return sub { irange(-$n, $n) / 10 } }                          # no float holds them
sub spread { my ($scale, $digits) = (pick(1, 100, 1e4, 1e6), irange(0, 9)); return sub { sprintf("%.${digits}f", (rand() - 0.5) * $scale) } }
sub near   { my $base = pick(16777216, 1e7, 3e9, 0.1); return sub { sprintf('%.17g', $base * (1 + irange(-6, 6) * 2**-pick(24, 25, 30, 52))) } }
sub nasty  { my $share = pick(3, 20, 60); return sub { chance($share) ? pick(@NASTY) : irange(-3, 3) } }
sub ends   { my $share = pick(3, 20); return sub { chance($share) ? pick('1e999', '-1e999') : irange(-9, 9) } }
sub huge   { return sub { sprintf('%.17g', pick(1, -1) * (1 + rand()) * 10**irange(30, 307)) } }
sub tiny   { return sub { pick('-0', '0', sprintf('%.17g', pick(1, -1) * (1 + rand()) * 10**-irange(30, 320))) } }

# What GEOS says of shapes as small as the last bit of their corners depends on what it has cached.
my %FINITE  = (grid => \&grid, tenths => \&tenths, spread => \&spread);
my %NUMBERS = (%FINITE, near => \&near, nasty => \&nasty, ends => \&ends, huge => \&huge, tiny => \&tiny);

# Longitudes and latitudes: near each other or anywhere, for the ST_ functions; and for boxes and distances at the poles and
# the antimeridian. There PostGIS itself says that lines meet points whose boxes they miss by a last bit, it refuses lines
# between opposite points, and of a NaN its functions say what their cache makes of the rows before.
sub region {
    my ($x, $y, $size) = (irange(-150, 150), irange(-60, 60), pick(0.001, 1, 4));
    return pick(sub { (sprintf('%.6f', rand(360) - 180), sprintf('%.6f', rand(180) - 90)) },
        sub { map { sprintf('%.9f', $_ + gauss() * $size) } $x, $y });
}

sub edge_of_earth {
    return pick(sub { (irange(-180, 180), pick(89.9, -89.999, 0)) }, sub { (pick(180, -180, 179.9, -179.99, 181), irange(-20, 20)) },
        sub { (pick(0, 10, -10, 1e-9), pick(0, 10, -10, -1e-9)) });
}

# --- shapes ----------------------------------------------------------------------------

sub vertex { return join(' ', @_) }
sub ring   { my ($x, $y, $to_x, $to_y) = @_; return "($x $y, $to_x $y, $to_x $to_y, $x $to_y, $x $y)" }

# How many vertices PostGIS wants is what it gets; with less it reads no value.
sub line_text { my ($next) = @_; return '(' . join(', ', map { vertex($next->()) } 1 .. irange(2, 5)) . ')' }

my @EMPTY = ('POINT EMPTY', 'LINESTRING EMPTY', 'POLYGON EMPTY', 'MULTIPOINT EMPTY', 'GEOMETRYCOLLECTION EMPTY', 'MULTIPOINT(EMPTY)');

# Not of one place: what PostGIS says such a line is in depends on the rows that it was asked about before.
sub real_line {
    my ($next) = @_;
    my $text = line_text($next);
    my %places = map { join(' ', map { 0 + $_ } split ' ') => 1 } split /,/, $text =~ s/[()]//gr;
    return 'LINESTRING' . (keys %places > 1 ? $text : '(0 0, 1 1)');
}

# A rectangle, with a hole now and then, or a triangle, from a vertex to the upper right.
sub small_polygon {
    my ($x, $y, $size) = @_;
    my ($to_x, $to_y) = map { sprintf('%.15g', $_ + $size * irange(1, 4)) } $x, $y;
    return "($x $y, $to_x $y, $x $to_y, $x $y)" if chance(30);
    return ring($x, $y, $to_x, $to_y) unless chance(20);
    my ($in_x, $in_y) = map { $_ + $size / 4 } $x, $y;
    return ring($x, $y, $to_x, $to_y) . ', ' . ring($in_x, $in_y, $in_x + $size / 4, $in_y + $size / 4);
}

# Of finite vertices: valid for GEOS. Lines may cross themselves.
sub valid_shape {
    my ($next) = @_;
    my $size = pick(0.1, 0.5, 3, 10);
    my $kind = pick_weighted(point => 40, line => 20, polygon => 25, points => 5, lines => 4, polygons => 3, empty => 3);
    return pick(@EMPTY) if $kind eq 'empty';
    return 'POINT(' . vertex($next->()) . ')' if $kind eq 'point';
    return real_line($next) if $kind eq 'line';
    return 'POLYGON(' . small_polygon($next->(), $size) . ')' if $kind eq 'polygon';
    return 'MULTIPOINT(' . join(', ', map { vertex($next->()) } 1 .. irange(1, 4)) . ')' if $kind eq 'points';
    return 'MULTILINESTRING(' . join(', ', map { real_line($next) =~ s/LINESTRING//r } 1 .. irange(1, 3)) . ')' if $kind eq 'lines';
    my ($x, $y) = $next->();
    return "MULTIPOLYGON((" . ring($x, $y, $x + $size, $y + $size) . '), (' . ring($x + 3 * $size, $y, $x + 4 * $size, $y + $size) . '))';
}

# Of any vertices, in forms that are rarely valid.
sub strange_shape {
    my ($next) = @_;
    my @v = map { vertex($next->()) } 1 .. 5;
    return pick("POINT($v[0])", "POINT($v[1])", "LINESTRING($v[0], $v[1])", "LINESTRING($v[0], $v[1], $v[2])", "POLYGON(($v[0], $v[1], $v[2], $v[3], $v[0]))",
        "MULTIPOINT($v[0], $v[1])", "MULTILINESTRING(($v[0], $v[1]), ($v[2], $v[3]))", "GEOMETRYCOLLECTION(POINT($v[0]), LINESTRING($v[1], $v[2]))",
        "GEOMETRYCOLLECTION(POINT EMPTY, POLYGON(($v[0], $v[1], $v[2], $v[0])))", "TRIANGLE(($v[0], $v[1], $v[2], $v[0]))", pick(@EMPTY));
}

# PostGIS (3.3) returns wrong distances from arcs, nearer than their boxes, so these are put in order by boxes alone. Cut-offs must find them.
sub curved_shape {
    my ($next) = @_;
    my @v = map { vertex($next->()) } 1 .. 4;
    return pick("CIRCULARSTRING($v[0], $v[1], $v[2])", "CURVEPOLYGON(CIRCULARSTRING($v[0], $v[1], $v[2], $v[3], $v[0]))",
        "MULTICURVE(($v[0], $v[1]), CIRCULARSTRING($v[1], $v[2], $v[3]))",
        $v[1] =~ /999|NaN/ ? () : "COMPOUNDCURVE(($v[0], $v[1]), CIRCULARSTRING($v[1], $v[2], $v[3]))", pick(@EMPTY));
}

# of(factories of numbers, coordinates of a vertex, shape of a source of vertices): kinds.
sub of {
    my ($numbers, $count, $shape) = @_;
    my %kinds;
    for my $name (keys %$numbers) {
        my $factory = $numbers->{$name};
        $kinds{$name} = [ sub { my $number = $factory->(); my $next = sub { map { $number->() } 1 .. $count }; sub { $shape->($next) } } ];
    }
    return \%kinds;
}

sub few {
    my ($kinds) = @_;
    my $next = $kinds->{ pick(sort keys %$kinds) }[0]->();
    my @values = map { $next->() } 1 .. irange(1, 5);
    return sub { pick(@values) };
}

# Mostly empty, among others.
sub hollow { my ($factory) = @_; return [ sub { my $next = $factory->(); sub { chance(70) ? pick(@EMPTY) : $next->() } } ] }

sub valid_kinds {
    my $kinds = of(\%FINITE, 2, \&valid_shape);
    my $points = of(\%FINITE, 2, sub { 'POINT(' . vertex($_[0]->()) . ')' });
    $kinds->{"$_ points"} = $points->{$_} for keys %$points;
    my %all = %$kinds;
    $kinds->{hollow} = hollow($kinds->{grid}[0]);
    $kinds->{few} = [ sub { few(\%all) } ];
    return $kinds;
}

sub any_kinds {
    my $kinds = of(\%NUMBERS, 2, \&strange_shape);
    my $valid = valid_kinds();
    $kinds->{"valid $_"} = $valid->{$_} for keys %$valid;
    my $mixed = sub { my $next = few(of(\%FINITE, 2, \&valid_shape)); sub { (chance(80) ? 'SRID=4326;' : chance(50) ? 'SRID=3857;' : '') . $next->() } };
    $kinds->{'mixed srid'} = [$mixed];
    return $kinds;
}

sub curved_kinds { return of(\%NUMBERS, 2, \&curved_shape) }

# Two to four coordinates: x, y and maybe z, m or both, the same of all values or not. None with an m is empty, strange or a
# line, because the server crashes when PostGIS (3.3) computes the distance <<->> of two such values. Areas have one z and no
# strange corners, because to others PostGIS measures from a plane that need not pass through their box.
sub flat { my ($form, $vertex) = @_; my @c = split ' ', $vertex; $c[2] = 1 if $form =~ /Z/; return "@c" }

sub solid_shape {
    my ($number, $form, $finite) = @_;
    return pick("POINT $form EMPTY", "GEOMETRYCOLLECTION $form EMPTY") if $form !~ /M/ && chance(10);
    my $count = $form eq 'ZM' ? 4 : $form ? 3 : 2;
    my @v = map { join(' ', map { $number->() } 1 .. $count) } 1 .. 4;
    my @areas = $finite ? 'POLYGON ' . "$form ((" . join(', ', map { flat($form, $_) } @v[ 0 .. 2 ], $v[0]) . '))' : ();
    my @lines = $form =~ /M/ ? () : ("LINESTRING $form ($v[0], $v[1])", "LINESTRING $form ($v[0], $v[1], $v[2])");
    return pick("POINT $form ($v[0])", "POINT $form ($v[1])", @lines, @areas,
        "MULTIPOINT $form (($v[0]), ($v[1]))");
}

sub solid_kinds {
    my %kinds;
    for my $name (keys %NUMBERS) {
        $kinds{$name} = [ sub {
            my $number = $NUMBERS{$name}->();
            my @forms  = pick([''], ['Z'], [ '', 'Z' ], $FINITE{$name} ? (['M'], ['ZM'], [ 'Z', 'ZM' ], [ '', 'Z', 'M', 'ZM' ]) : ());
            return sub { solid_shape($number, pick(@{ $forms[0] }), $FINITE{$name}) };
        } ];
    }
    my $of = $kinds{grid}[0];
    $kinds{hollow} = [ sub { my ($next, @z) = ($of->(), pick('', 'Z')); sub { chance(70) ? "POINT @z EMPTY" : $next->() } } ];
    return \%kinds;
}

# What the operators on boxes in space take: arcs too, but nothing that is empty, which is an ERROR to them.
sub without_empty {
    my ($factory) = @_;
    return sub {
        my $next = $factory->();
        return sub { while (1) { my $value = $next->(); return $value if $value !~ /EMPTY/ } };
    };
}

sub space_kinds {
    my ($solid, $curved, %kinds) = (solid_kinds(), curved_kinds());
    $kinds{$_} = [ without_empty($solid->{$_}[0]) ] for keys %$solid;
    $kinds{"curved $_"} = [ without_empty($curved->{$_}[0]) ] for keys %$curved;
    return \%kinds;
}

# What the functions of space take: no m, finite, without areas.
sub body_kinds {
    my %kinds;
    for my $name (keys %FINITE) {
        $kinds{$name} = [ sub {
            my $number = $FINITE{$name}->();
            my @forms  = pick([''], ['Z'], ['Z'], [ '', 'Z' ]);
            return sub {
                my $form = pick(@{ $forms[0] });
                my @v = map { join(' ', map { $number->() } 1 .. ($form ? 3 : 2)) } 1 .. 3;
                return pick("POINT $form ($v[0])", "POINT $form ($v[1])", "LINESTRING $form ($v[0], $v[1])", "LINESTRING $form ($v[0], $v[1], $v[2])",
                    "MULTIPOINT $form (($v[0]), ($v[1]))", "POINT $form EMPTY");
            };
        } ];
    }
    return \%kinds;
}

# Trajectories: lines whose m ascends.
sub track_shape {
    my ($number) = @_;
    my ($m, $form) = (irange(0, 20), pick('M', 'M', 'ZM'));
    my @vertices = map { $m += pick(0.5, 1, 3); join(' ', map({ $number->() } 1 .. length($form) + 1), $m) } 1 .. irange(2, 4);
    return "LINESTRING $form (" . join(', ', @vertices) . ')';
}

sub track_kinds {
    return { map { my $factory = $FINITE{$_}; $_ => [ sub { my $number = $factory->(); sub { track_shape($number) } } ] } keys %FINITE };
}

sub place_kinds {
    my $points = sub { my ($next) = @_; sub { 'POINT(' . vertex($next->()) . ')' } };
    return {
        points  => [ sub { $points->(region()) } ],
        shapes  => [ sub { my $next = region(); sub { valid_shape($next) } } ],
        hollow  => hollow(sub { my $next = region(); sub { valid_shape($next) } }),
    };
}

sub edge_kinds {
    my @strange = ('POINT(1e300 -1e300)', 'POINT(0 90)', 'LINESTRING(5 5, 5 5)', 'LINESTRING(1 60, 179 60)', 'POINT(-0 5e-324)',
        'POLYGON((170 10, -170 10, -170 20, 170 20, 170 10))', 'POLYGON((0 80, 120 80, -120 80, 0 80))', 'POINT(NaN 1)', 'LINESTRING(2 3, NaN 5)');
    my $region = place_kinds()->{shapes}[0];
    return {
        points  => [ sub { my $next = edge_of_earth(); sub { 'POINT(' . vertex($next->()) . ')' } } ],
        strange => [ sub { my $next = $region->(); sub { chance(30) ? pick(@strange) : $next->() } } ],
    };
}

# --- arguments ---------------------------------------------------------------------------

# Vertices of a value's text, x and y alone.
sub vertices { my ($text) = @_; $text =~ s/SRID=\d+;//; return map { [ (split ' ')[ 0, 1 ] ] } grep { /\d|NaN/ } map { s/^\s+//r } $text =~ /([^(),A-Z]*(?:NaN[^(),A-Z]*)*)/g }

sub finite { return !grep { !/^-?\d[-.\de+]*$/ || abs($_) > 1e15 } @_ }

sub shifted { my ($vertex, $by) = @_; return [ map { finite($_) ? sprintf('%.15g', $_ + pick(1, -1, 0) * $by) : $_ } @$vertex ] }

# A point, line or rectangle at vertices of the column; a rectangle without area is a line or a point. On earth both ends
# are near each other, because PostGIS refuses lines between opposite points.
sub around {
    my ($pool, $on_earth) = @_;
    my @of = map { my @v = vertices($_); @v ? pick(@v) : [ irange(-5, 5), irange(-5, 5) ] } map { pick(@$pool) } 1, 2;
    my ($from, $to) = map { chance(60) ? $_ : shifted($_, pick(1e-7, 0.1, 1, 5)) } @of;
    $to = shifted($from, pick(0.1, 1, 5, 30)) if $on_earth || chance(50);
    return "POINT(@$from)" if chance(30) || "@$from" eq "@$to";
    return "LINESTRING(@$from, @$to)" if chance(20) || !finite(@$from, @$to) || $from->[0] == $to->[0] || $from->[1] == $to->[1];
    return 'POLYGON(' . ring(@$from, @$to) . ')';
}

# near(column, kinds that may be the argument's): text.
sub near_value {
    my ($column, $kinds, $on_earth) = @_;
    my $pool = $column->{pool};
    return $kinds->{ pick(sort keys %$kinds) }[0]->()->() if !@$pool || chance(6);
    return pick(@$pool) if chance(35);
    my $text = around($pool, $on_earth);
    return pick(@$pool) =~ /^(SRID=\d+;)/ ? "$1$text" : $text;
}

sub shape_arg { my ($column, $kinds) = @_; return "'" . near_value($column, $kinds) . "'::geometry" }
sub place_arg { my ($column, $kinds) = @_; return "'" . near_value($column, $kinds, 1) . "'::geography" }

# Values of the column and of others, which have other dimensions.
sub solid_arg {
    my ($column, $kinds) = @_;
    return shape_arg($column, $kinds) if chance(15);
    return "'" . (@{ $column->{pool} } && chance(75) ? pick(@{ $column->{pool} }) : $kinds->{ pick(sort keys %$kinds) }[0]->()->()) . "'::geometry";
}

sub track_arg {
    my ($column, $kinds) = @_;
    return "'" . (@{ $column->{pool} } && chance(60) ? pick(@{ $column->{pool} }) : $kinds->{ pick(sort keys %$kinds) }[0]->()->()) . "'::geometry";
}

1;
