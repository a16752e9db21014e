# The sixty queries of the part `plans`, from families: a condition whose width is searched so that it holds so many rows,
# around a row of the table.  So what a query is to return is the same whatever the scale.
#
# A query: name; tables; key (what it returns, a number), from, where; order and limit of one that looks for the nearest;
#          types and args (a list of argument lists) of one that is prepared once and run for several arguments, with a
#          generic plan; geometry, where PostGIS has an estimate of its own.
package Bench::Plans::Queries;
use strict;
use warnings;
use List::Util qw(max);

my @LEVELS    = ('1 row', '10 rows', '100 rows', '1 %', '10 %', '50 %', 'all');
my $ARGUMENTS = 5;    # of a prepared query

# Queries of tables that are not there (an extension is missing) are left out.
sub all {
    my ($db, $rows) = @_;
    my $self = bless { db => $db, rows => $rows, used => {} }, __PACKAGE__;
    my @all  = map { $self->_family($_) } $self->_families;
    printf "\nplans: %d queries\n", scalar @all;
    return @all;
}

# Tables, and what makes queries of them.
sub _families {
    my ($self) = @_;
    return (
        [ [qw(skewed)],           sub { map { $self->_window('skewed', $_) } @LEVELS } ],
        [ [qw(line)],             sub { (map { $self->_window('line', $_) } '1 row', '1 %', '10 %'), $self->_along_and_beside } ],
        [ [qw(skewed)],           sub { map { $self->_cutoff('skewed', $_) } '1 row', '100 rows', '1 %', '50 %' } ],
        [ [qw(line)],             sub { $self->_cutoff('line', '10 %') } ],
        [ [qw(skewed)],           sub { $self->_circle('1 %') } ],
        [ [qw(boxes_a)],          sub { map { $self->_overlap($_) } '10 rows', '1 %', '50 %', 'all' } ],
        [ [qw(boxes_a)],          sub { ($self->_boxes_within('10 %'), $self->_boxes_around) } ],
        [ [qw(ranges_a)],         sub { $self->_ranges } ],
        [ [qw(vectors4)],         sub { map { $self->_vectors(4, $_) } '100 rows', '10 %' } ],
        [ [qw(vectors8)],         sub { map { $self->_vectors(8, $_) } '1 %', '50 %' } ],
        [ [qw(vectors24)],        sub { map { $self->_vectors(24, $_) } '10 rows', '10 %' } ],
        [ [qw(cubes4)],           sub { $self->_cubes(4, '1 %', '<@') } ],
        [ [qw(cubes8)],           sub { $self->_cubes(8, '100 rows', '&&') } ],
        [ [qw(cubes24)],          sub { $self->_cubes(24, '10 %', '<@') } ],
        [ [qw(visits)],           sub { $self->_composite } ],
        [ [qw(skewed)],           sub { $self->_either } ],
        [ [qw(boxes_a boxes_b)],  sub { _join('boxes && boxes', \@_, 'a.b && b.b') } ],
        [ [qw(ranges_a ranges_b)], sub { _join('ranges && ranges', \@_, 'a.r && b.r') } ],
        [ [qw(boxes_a skewed)],   sub { _join('points <@ 500 boxes', \@_, 'b.p <@ a.b AND a.id <= 500') } ],
        [ [qw(spots skewed)],     sub { _join('points within 2 of 300', \@_, 'b.p <-> a.p < 2') } ],
        [ [qw(boxes_a boxes_b skewed)], sub { _join('boxes && boxes, points', \@_, 'a.b && b.b AND c.p <@ b.b AND a.id <= 30') } ],
        [ [qw(skewed line)],      sub { $self->_join_by_id(\@_, '10 %') } ],
        [ [qw(skewed visits line)], sub { $self->_join_by_id(\@_, '1 %') } ],
        [ [qw(visits)],           sub { $self->_nearest_visits } ],
        [ [qw(skewed)],           sub { $self->_nearest_within } ],
        [ [qw(skewed)],           sub { $self->_prepared_window } ],
        [ [qw(boxes_a)],          sub { $self->_prepared_overlap } ],
        [ [qw(visits)],           sub { $self->_prepared_composite } ],
        [ [qw(areas)],            sub { $self->_areas } ],
        [ [qw(areas places)],     sub { _join('areas ST_Intersects places', \@_, 'ST_Intersects(a.g, b.g) AND a.id <= 200', geometry => 1) } ],
    );
}

sub _family {
    my ($self, $family) = @_;
    my ($tables, $make) = @$family;
    return if grep { !$self->{rows}{"plans_$_"} } @$tables;
    return $make->(@$tables);
}

sub _query {
    my ($name, $table, $where, %more) = @_;
    return { name => $name, tables => ["plans_$table"], key => 'id', from => "plans_$table", where => $where, %more };
}

# How many rows a level like "10 rows" or "1 %" means.
sub _count {
    my ($self, $table, $level) = @_;
    my $rows = $self->{rows}{"plans_$table"};
    return $rows if $level eq 'all';
    my ($number, $unit) = split / /, $level;
    return $unit eq '%' ? max(1, int($rows * $number / 100)) : $number;
}

# The columns of a row that no query before has begun with.
sub _row {
    my ($self, $table, $columns) = @_;
    my $id = 1 + 7919 * ++$self->{used}{$table} % $self->{rows}{"plans_$table"};
    return $self->{db}->row("SELECT $columns FROM plans_$table WHERE id = $id");
}

sub _center { my ($self, $table) = @_; return $self->_row($table, 'p[0], p[1]') }

# Of a number that says how far a row is, what lies between that of the n-th row and of the next one; of the last, a little more.
sub _width {
    my ($self, $table, $far, $count) = @_;
    my $next = $count - 1;
    return 1.000001 * $self->{db}->value("SELECT avg(far) FROM (SELECT $far AS far FROM plans_$table ORDER BY 1 OFFSET $next LIMIT 2) s");
}

sub _square { my ($x, $y, $h) = @_; return sprintf "box '(%.12g,%.12g),(%.12g,%.12g)'", $x - $h, $y - $h, $x + $h, $y + $h }

# A square around a row, with so many points.
sub _square_with {
    my ($self, $table, $level) = @_;
    my ($x, $y) = $self->_center($table);
    return _square($x, $y, $self->_width($table, "greatest(abs(p[0] - $x), abs(p[1] - $y))", $self->_count($table, $level)));
}

sub _window {
    my ($self, $table, $level) = @_;
    return _query("$table: p <@ box, $level", $table, 'p <@ ' . $self->_square_with($table, $level));
}

# Beside the line each coordinate is frequent, but no row has both.
sub _along_and_beside {
    my ($self) = @_;
    my $both = 'x BETWEEN 300 AND 310 AND y BETWEEN %d AND %d';
    return (
        _query('line: p <@ box, beside', 'line', q{p <@ box '(200,600),(400,800)'}),
        _query('line: x, y BETWEEN, along', 'line', sprintf $both, 300, 310),
        _query('line: x, y BETWEEN, beside', 'line', sprintf $both, 340, 350),
    );
}

# A distance that so many rows are within, and from where.
sub _near {
    my ($self, $table, $level) = @_;
    my ($x, $y) = $self->_center($table);
    my $from = sprintf "point '(%.12g,%.12g)'", $x, $y;
    return ($from, sprintf '%.12g', $self->_width($table, "p <-> $from", $self->_count($table, $level)));
}

sub _cutoff {
    my ($self, $table, $level) = @_;
    my ($from, $most) = $self->_near($table, $level);
    return _query("$table: p <-> point < r, $level", $table, "p <-> $from < $most");
}

sub _circle {
    my ($self, $level) = @_;
    my ($from, $most) = $self->_near('skewed', $level);
    return _query("skewed: p <@ circle, $level", 'skewed', "p <@ circle($from, $most)");
}

# How far a box is from the center, by the greater of the distances along x and y.
sub _gap { my ($x, $y) = @_; return "greatest((b[1])[0] - $x, $x - (b[0])[0], (b[1])[1] - $y, $y - (b[0])[1], 0)" }

sub _box_center { my ($self) = @_; return $self->_row('boxes_a', '(center(b))[0], (center(b))[1]') }

sub _overlap_with {
    my ($self, $level) = @_;
    my ($x, $y) = $self->_box_center;
    return _square($x, $y, $self->_width('boxes_a', _gap($x, $y), $self->_count('boxes_a', $level)));
}

sub _overlap {
    my ($self, $level) = @_;
    return _query("boxes: b && box, $level", 'boxes_a', 'b && ' . $self->_overlap_with($level));
}

sub _boxes_within {
    my ($self, $level) = @_;
    my ($x, $y) = $self->_box_center;
    my $far = "greatest((b[0])[0] - $x, $x - (b[1])[0], (b[0])[1] - $y, $y - (b[1])[1])";
    return _query("boxes: b <@ box, $level", 'boxes_a', 'b <@ ' . _square($x, $y, $self->_width('boxes_a', $far, $self->_count('boxes_a', $level))));
}

sub _boxes_around {
    my ($self) = @_;
    my ($x, $y) = $self->_box_center;
    return _query('boxes: b @> small box', 'boxes_a', 'b @> ' . _square($x, $y, 0.01));
}

# Numbers and times have the same shape: minutes since the beginning of 2024.
sub _ranges {
    my ($self) = @_;
    my $some = sub { return ($self->_row('ranges_a', 'lower(r)'))[0] };
    my $time = q{timestamp '2024-01-01' + %d * interval '1 minute'};
    my $wide = sub {
        my ($level, $far) = @_;
        my $at = $some->();
        my $h  = $self->_width('ranges_a', $far =~ s/AT/$at/gr, $self->_count('ranges_a', $level));
        return (int($at - $h), int($at + $h) + 1);
    };
    my ($gap, $beyond) = ('greatest(lower(r) - AT, AT - upper(r), 0)', 'greatest(upper(r) - AT, AT - lower(r))');
    my $range = sub { my ($level, $far) = @_; return sprintf 'int4range(%d, %d)', $wide->($level, $far) };
    my $times = sub { my ($level) = @_; return sprintf "tsrange($time, $time)", $wide->($level, $gap) };
    return (
        _query('ranges: r && range, 100 rows', 'ranges_a', 'r && ' . $range->('100 rows', $gap)),
        _query('ranges: r <@ range, 10 %', 'ranges_a', 'r <@ ' . $range->('10 %', $beyond)),
        _query('ranges: r @> number', 'ranges_a', 'r @> ' . $some->()),
        _query('ranges: times && times, 50 %', 'ranges_a', 'during && ' . $times->('50 %')),
    );
}

# The corners of a window around a vector, with so many of them.
sub _corners {
    my ($self, $dims, $level) = @_;
    my ($v) = $self->_row("vectors$dims", 'v');
    my $far = "(SELECT max(abs(a - c)) FROM unnest(v, '{" . join(',', @$v) . "}'::float8[]) e(a, c))";
    my $h   = $self->_width("vectors$dims", $far, $self->_count("vectors$dims", $level));
    return map { my $sign = $_; "'{" . join(',', map { sprintf '%.12g', $_ + $sign * $h } @$v) . "}'" } -1, 1;
}

sub _vectors {
    my ($self, $dims, $level) = @_;
    my ($lower, $upper) = $self->_corners($dims, $level);
    return _query("vectors of $dims: v <@ window, $level", "vectors$dims", "v <@ xtree_window($lower, $upper)");
}

# The cubes are the vectors.
sub _cubes {
    my ($self, $dims, $level, $operator) = @_;
    my ($lower, $upper) = $self->_corners($dims, $level);
    return _query("cubes of $dims: c $operator cube, $level", "cubes$dims", "c $operator cube(${lower}::float8[], ${upper}::float8[])");
}

# A window over so many visits, the kinds that are frequent in it and elsewhere, and the week of the most frequent one.
sub _place {
    my ($self, $level) = @_;
    my $window = 'p <@ ' . $self->_square_with('visits', $level);
    my @kinds  = $self->_kinds($window);
    my $median = "date_trunc('day', percentile_disc(0.5) WITHIN GROUP (ORDER BY at))";
    my $day    = $self->{db}->value("SELECT $median FROM plans_visits WHERE $window AND kind = $kinds[0]");
    return { window => $window, kinds => \@kinds, others => [ $self->_kinds("NOT $window") ],
             week => "at BETWEEN timestamp '$day' - interval '3 days' AND timestamp '$day' + interval '4 days'" };
}

sub _kinds {
    my ($self, $where) = @_;
    return $self->{db}->column("SELECT kind FROM plans_visits WHERE $where GROUP BY kind ORDER BY count(*) DESC, kind LIMIT 3");
}

sub _composite {
    my ($self) = @_;
    my $place = $self->_place('10 %');
    my ($here, $elsewhere) = ("kind = $place->{kinds}[0]", "kind = $place->{others}[0]");
    my $any = "kind = ANY ('{" . join(',', @{ $place->{kinds} }) . "}')";
    return map { my ($name, @conditions) = @$_; _query("visits: $name", 'visits', join ' AND ', $place->{window}, @conditions) }
        [ 'box, a kind from there', $here ], [ 'box, a kind from elsewhere', $elsewhere ], [ 'box, a week', $place->{week} ],
        [ 'box, kind, week', $here, $place->{week} ], [ 'box, kind = ANY', $any ];
}

sub _either {
    my ($self) = @_;
    return _query('skewed: in one box or the other', 'skewed', join ' OR ', map { 'p <@ ' . $self->_square_with('skewed', '1 %') } 1, 2);
}

# The tables are a, b and c.
sub _join {
    my ($name, $tables, $where, %more) = @_;
    my @alias = qw(a b c)[ 0 .. $#$tables ];
    return { name => "join: $name", tables => [ map { "plans_$_" } @$tables ], where => $where, key => join(' + ', map { "$_.id" } @alias),
             from => join(', ', map { "plans_$tables->[$_] $alias[$_]" } 0 .. $#alias), %more };
}

# Where too low an estimate makes a nested loop of what should be a hash join.
sub _join_by_id {
    my ($self, $tables, $level) = @_;
    my ($first, @others) = @$tables;
    my $where = join ' AND ', 'a.p <@ ' . $self->_square_with($first, $level), map { "$_.id = a.id" } qw(b c)[ 0 .. $#others ];
    return _join("box, $level, by id to " . join(', ', @others), $tables, $where);
}

# The ten nearest; what identifies a row is its distance, because of equal ones any may be taken.
sub _nearest {
    my ($name, $table, $where, $from) = @_;
    return _query("nearest: $name", $table, $where, key => "p <-> $from", order => "p <-> $from", limit => 10);
}

sub _nearest_visits {
    my ($self) = @_;
    my $place = $self->_place('10 %');
    my ($x, $y) = $self->_center('visits');
    my $from = sprintf "point '(%.12g,%.12g)'", $x, $y;
    return (_nearest('of 1 in 10,000', 'visits', 'kind = 0', $from),
        _nearest('of a kind in a box', 'visits', "$place->{window} AND kind = $place->{others}[0]", $from));
}

sub _nearest_within {
    my ($self) = @_;
    my ($from, $most) = $self->_near('skewed', '1 %');
    return _nearest('within a distance', 'skewed', "p <-> $from < $most", $from);
}

sub _prepared {
    my ($name, $table, $where, $types, @args) = @_;
    return _query("generic plan: $name", $table, $where, types => $types, args => \@args);
}

sub _prepared_window {
    my ($self) = @_;
    return _prepared('p <@ $1, 100 rows', 'skewed', 'p <@ $1', 'box', map { [ $self->_square_with('skewed', '100 rows') ] } 1 .. $ARGUMENTS);
}

sub _prepared_overlap {
    my ($self) = @_;
    return _prepared('b && $1, 1 %', 'boxes_a', 'b && $1', 'box', map { [ $self->_overlap_with('1 %') ] } 1 .. $ARGUMENTS);
}

sub _prepared_composite {
    my ($self) = @_;
    my @places = map { $self->_place('1 %') } 1 .. $ARGUMENTS;
    my @args   = map { [ $_->{window} =~ s/^p <@ //r, $_->{kinds}[0] ] } @places;
    return _prepared('p <@ $1 AND kind = $2', 'visits', 'p <@ $1 AND kind = $2', 'box, int', @args);
}

sub _areas {
    my ($self) = @_;
    my ($x, $y) = $self->_row('areas', 'ST_X(ST_Centroid(g)), ST_Y(ST_Centroid(g))');
    my $gap = "greatest(ST_XMin(g) - $x, $x - ST_XMax(g), ST_YMin(g) - $y, $y - ST_YMax(g), 0)";
    my $h   = $self->_width('areas', $gap, $self->_count('areas', '1 %'));
    my $window = sprintf 'ST_MakeEnvelope(%.12g, %.12g, %.12g, %.12g)', $x - $h, $y - $h, $x + $h, $y + $h;
    my ($from) = sprintf 'ST_MakePoint(%.12g, %.12g)', $self->_row('areas', 'ST_X(ST_Centroid(g)), ST_Y(ST_Centroid(g))');
    my $most   = sprintf '%.12g', $self->_width('areas', "ST_Distance(g, $from)", $self->_count('areas', '100 rows'));
    return (_query('areas: g && box, 1 %', 'areas', "g && $window", geometry => 1),
        _query('areas: ST_DWithin, 100 rows', 'areas', "ST_DWithin(g, $from, $most)", geometry => 1));
}

1;
