# Values and query arguments of the plane's types: point, box, polygon, circle.
#
# Data generators give text values; argument generators give SQL constants that
# lie on, near and between the values of a column, so that queries have answers
# and meet the borders, where mistakes are. Coordinates are strings throughout:
# Perl's own NaN and infinity texts are not PostgreSQL's.
# Client side only: talks to no server, takes no lock.
package Oracle::Geometry;
use strict;
use warnings;
use Oracle::Random;
use Exporter 'import';
our @EXPORT_OK = qw(point_kinds box_kinds circle_kinds polygon_kinds point_arg box_arg polygon_arg circle_arg risky_arg);

my @NASTY = ('NaN', 'Infinity', '-Infinity', '-0', '0', '5e-324', '-5e-324', '1e-300',
    '2.2250738585072014e-308', '1', '-1', '1e-6', '9007199254740993', '1e308', '-1e308', '1.7976931348623157e308');
my @EPSILONS = (0, 1e-7, 3e-7, 5e-7, 9e-7, 9.9999999e-7, 1e-6, 1.0000001e-6, 1.1e-6, 2e-6, 3e-6);

# A finite number as text that reads back to the same double.
sub num {
    my ($n) = @_;
    my $short = sprintf('%.15g', $n);
    return $short == $n ? $short : sprintf('%.17g', $n);
}

sub rounded {
    my ($n, $digits) = @_;
    return num(sprintf("%.${digits}f", $n));
}

# --- sources of coordinate pairs: each factory returns a closure -------------

sub uniform {
    my ($scale, $digits) = (pick(1, 100, 1e4, 1e6), irange(0, 6));
    return sub { [ map { rounded((rand() - 0.5) * $scale, $digits) } 1, 2 ] };
}

sub clustered {
    my @centers = map { [ rand(1000), rand(1000) ] } 1 .. irange(2, 12);
    my $spread  = pick(0.001, 0.1, 5);
    return sub { my $c = pick(@centers); [ map { num($_ + gauss() * $spread) } @$c ] };
}

sub grid {
    my $n = pick(2, 4, 10, 40);
    return sub { [ rnd($n), rnd($n) ] };
}

# Very few distinct values: thousands of duplicates.
sub few {
    my @values = map { [ rounded(rand(100), 2), rounded(rand(100), 2) ] } 1 .. irange(1, 5);
    return sub { pick(@values) };
}

sub line {
    my ($shape, $c) = (rnd(4), irange(-5, 5));
    return sub {
        my $x = rounded(rand(1000), 2);
        return $shape == 0 ? [ $x, $c ] : $shape == 1 ? [ $c, $x ] : $shape == 2 ? [ $x, $x ] : [ $x, num(-$x) ];
    };
}

# Around the tolerance of core's geometric comparisons.
sub epsilon {
    my $n = pick(1, 3, 10);
    return sub { [ map { num(rnd($n) + pick(1, -1) * pick(@EPSILONS)) } 1, 2 ] };
}

sub nasty {
    my $share = pick(10, 50, 90);
    return sub { [ map { chance($share) ? pick(@NASTY) : irange(-3, 3) } 1, 2 ] };
}

sub infinite {
    my $share = pick(3, 20);
    return sub { [ map { chance($share) ? pick('Infinity', '-Infinity') : irange(-20, 20) } 1, 2 ] };
}

sub notanumber {
    my $share = pick(3, 20);
    return sub { [ map { chance($share) ? 'NaN' : irange(-20, 20) } 1, 2 ] };
}

sub huge {
    return sub { [ map { num(pick(1, -1) * (1 + rand()) * 10**irange(140, 307)) } 1, 2 ] };
}

sub tiny {
    return sub { [ map { pick('-0', '0', num(pick(1, -1) * (1 + rand()) * 10**-irange(150, 315))) } 1, 2 ] };
}

sub zeros {
    return sub { [ map { pick('-0', '0', '0', '1', '-1') } 1, 2 ] };
}

sub ascending {
    my $i = 0;
    my $step = pick(1, 0.25);
    return sub { $i++; [ num($i * $step), num(($i * $step) % 97) ] };
}

my %PAIRS = (
    uniform => [ \&uniform ], clustered => [ \&clustered ], grid => [ \&grid ], few => [ \&few ],
    line => [ \&line ], ascending => [ \&ascending ], zeros => [ \&zeros ],
    epsilon => [ \&epsilon, 'eps' ], nasty => [ \&nasty, 'nan' ], notanumber => [ \&notanumber, 'nan' ],
    infinite => [ \&infinite, 'inf' ], huge => [ \&huge, 'overflow' ], tiny => [ \&tiny, 'eps' ],
);

sub point_text { my ($p) = @_; return "($p->[0],$p->[1])" }

# name => [factory of text values, flag of the deviation it provokes]
sub point_kinds {
    my %kinds;
    for my $name (keys %PAIRS) {
        my ($factory, $flag) = @{ $PAIRS{$name} };
        $kinds{$name} = [ sub { my $next = $factory->(); return sub { point_text($next->()) } }, $flag ];
    }
    return \%kinds;
}

sub finite { return $_[0] =~ /^[-+0-9.e]+$/ }

sub shifted {
    my ($coordinate, $by) = @_;
    return $coordinate unless finite($coordinate);
    my $sum = $coordinate + $by;
    return abs($sum) < 1e308 ? num($sum) : $coordinate;
}

# A box that begins at a pair; $extent < 0: two independent corners.
sub box_from {
    my ($next, $extent) = @_;
    my $low  = $next->();
    my $high = $extent < 0 ? $next->() : [ map { shifted($_, $extent * rnd(5) / 4) } @$low ];
    return point_text($low) . ',' . point_text($high);
}

sub box_kinds {
    my %kinds;
    for my $name (keys %PAIRS) {
        my ($factory, $flag) = @{ $PAIRS{$name} };
        $kinds{$name} = [
            sub {
                my $next    = $factory->();
                my @extents = sample(irange(1, 3), -1, 0, 0.01, 1, 10, 100, $name eq "epsilon" ? 1e-6 : 5);
                return sub { box_from($next, pick(@extents)) };
            },
            $flag
        ];
    }
    return \%kinds;
}

# shape_kinds(sub (source of pairs)): values made of pairs of every kind.
sub shape_kinds {
    my ($value) = @_;
    my %kinds;
    for my $name (keys %PAIRS) {
        my ($factory, $flag) = @{ $PAIRS{$name} };
        $kinds{$name} = [ sub { my $next = $factory->(); return sub { $value->($next) } }, $flag ];
    }
    return \%kinds;
}

sub circle_value {
    my ($next) = @_;
    my $radius = chance(70) ? pick(0, 0, 1e-6, 0.5, 1, 5, 20, 1e3, chance(5) ? ('NaN', 'Infinity', '1e308') : ()) : abs_text($next->()->[0]);
    return '<' . point_text($next->()) . ",$radius>";
}

sub abs_text { my ($text) = @_; $text =~ s/^-//; return $text }

sub circle_kinds { return shape_kinds(\&circle_value) }

# Corners of their own, or a small shape around one.
sub polygon_value {
    my ($next) = @_;
    return '(' . join(',', map { point_text($next->()) } 1 .. irange(1, 6)) . ')' if chance(30);
    my ($x, $y) = @{ $next->() };
    my $size = pick(1e-6, 0.5, 2, 10);
    return '(' . join(',', map { point_text([ shifted($x, $size * rnd(5)), shifted($y, $size * rnd(5)) ]) } 1 .. irange(1, 5)) . ')';
}

sub polygon_kinds { return shape_kinds(\&polygon_value) }

# --- query arguments near the data --------------------------------------------

# The coordinates in a value's text, as pairs.
sub pairs_of {
    my ($text) = @_;
    my @c = $text =~ /[-+]?(?:NaN|Infinity|\d[\d.]*(?:e[-+]?\d+)?)/gi;
    my @pairs;
    push @pairs, [ splice(@c, 0, 2) ] while @c >= 2;
    return @pairs ? @pairs : ([ 0, 0 ]);
}

# The double $steps places above a finite one.
sub neighbour {
    my ($n, $steps) = @_;
    return $n if $n == 0;
    return unpack('d', pack('q', unpack('q', pack('d', $n)) + ($n > 0 ? $steps : -$steps)));
}

# A coordinate moved: far, about as far as the tolerance, or exactly as far, give
# or take the last bit.
sub moved {
    my ($column, $coordinate) = @_;
    return shifted($coordinate, pick(1, -1) * pick(1, 0.5, 10, 100, 0.01)) if $column->{masked}{eps} || chance(50);
    return shifted($coordinate, pick(1, -1) * pick(@EPSILONS)) if chance(50) || !finite($coordinate);
    return sprintf('%.17g', neighbour($coordinate + pick(1, -1, 0) * 1e-6, irange(-1, 1)));
}

# A pair from the data, moved a little in some of the calls.
sub data_pair {
    my ($column) = @_;
    return [ map { pick(@NASTY) } 1, 2 ] if !$column->{masked}{nan} && chance(2);
    my $pool = $column->{pool};
    return [ irange(-10, 10), irange(-10, 10) ] unless @$pool;
    my $pair = pick(pairs_of(pick(@$pool)));
    return $pair if chance(50);
    return [ map { chance(60) ? moved($column, $_) : $_ } @$pair ];
}

sub quoted { my ($text, $type) = @_; return "'$text'::$type" }

sub point_arg { return quoted(point_text(data_pair($_[0])), 'point') }

# A window: between two values, or of some size around one.
sub window {
    my ($column) = @_;
    my $a = data_pair($column);
    return ($a, data_pair($column)) if chance(35);
    return ($a, $a)                 if chance(10);
    my $size = pick(1e-3, 0.1, 1, 5, 20, 100, 1e4);
    return ($a, [ map { shifted($_, $size * rnd(9) / 8) } @$a ]);
}

sub box_arg { return quoted(join(',', map { point_text($_) } window($_[0])), 'box') }

sub polygon_arg {
    my ($column) = @_;
    my @corners;
    if (chance(50)) {
        my ($a, $b) = window($column);
        @corners = ($a, [ $a->[0], $b->[1] ], $b, [ $b->[0], $a->[1] ]);
    }
    else {
        @corners = map { data_pair($column) } 1 .. irange(1, 6);
    }
    return quoted('(' . join(',', map { point_text($_) } @corners) . ')', 'polygon');
}

sub circle_arg {
    my ($column) = @_;
    my $radius = chance(8) ? pick('NaN', 'Infinity', '1e308') : pick(0, 1e-6, 0.5, 1, 5, 20, 100, 1e4);
    return quoted('<' . point_text(data_pair($column)) . ",$radius>", 'circle');
}

# With coordinates at the ends of the numbers, for which functions overflow; undef for another type.
sub risky_arg {
    my ($type) = @_;
    my $pair = sub { point_text([ map { pick('Infinity', '-Infinity', '1e308', '-1e308', '1e200', 'NaN', 0, 1) } 1, 2 ]) };
    my $text = $type eq 'point' ? $pair->() : $type eq 'circle' ? '<' . $pair->() . ',' . pick('NaN', 'Infinity', '1e308', 1) . '>'
        : $type eq 'box' ? $pair->() . ',' . $pair->() : $type eq 'polygon' ? '(' . join(',', map { $pair->() } 1 .. irange(2, 5)) . ')' : undef;
    return defined $text ? quoted($text, $type) : undef;
}

1;
