# Values and query arguments of contrib/cube: points and boxes of mixed dimensions, made of numbers of every kind.
#
# A column's cubes have few dimensions or many, all the same number or not, and corners in any order. Arguments are
# cubes of the column, others near them, and for the order by a coordinate its number. Client side only: talks to no
# server, takes no lock.
package Oracle::Cube;
use strict;
use warnings;
use Oracle::Random;
use Oracle::Scalar qw(scalar_kinds);
use Exporter 'import';
our @EXPORT_OK = qw(cube_kinds wide_cube_kinds cube_arg coordinate_arg);

my @NUMBERS = ('NaN', 'Infinity', '-Infinity', '-0', '0', '5e-324', '-5e-324', '1e-300', '1', '-1', '1.5', '1e17', '-1e200', '1.7976931348623157e308');

sub corner { return '(' . join(',', @_) . ')' }

# A cube as text: a point, or two corners. Without dimensions it is ().
sub cube_text {
    my ($low, $high) = @_;
    return $high ? corner(@$low) . ',' . corner(@$high) : corner(@$low);
}

# How many dimensions each of a column's cubes has.
sub dimension_source {
    my $n = pick(1, 2, 2, 3, 3, 4, 8);
    my $most = pick(2, 4, 6, 12);
    return pick(sub { $n }, sub { $n }, sub { chance(90) ? $n : rnd($most + 1) }, sub { rnd($most + 1) });
}

# Cubes of the numbers that $next returns; extents are added to them where they are small numbers.
sub cubes_of {
    my ($next) = @_;
    my ($dimensions, $zeros, $points) = (dimension_source(), pick(0, 0, 20, 60), pick(0, 30, 100));
    my @extents = sample(irange(1, 3), 0, 0.5, 1, 5, 20);
    my $number = sub { chance($zeros) ? 0 : $next->() };
    return sub {
        my @low = map { $number->() } 1 .. $dimensions->();
        return cube_text(\@low) if chance($points);
        return cube_text(\@low, [ map { $number->() } @low ]) if chance(15);
        return cube_text(\@low, [ map { /^-?\d{1,6}(?:\.\d+)?$/ && !chance($zeros) ? $_ + rnd(3) * pick(@extents) : $_ } @low ]);
    };
}

sub grid   { my $n = pick(2, 4, 10, 40); return sub { irange(-$n, $n) } }
sub spread { my ($scale, $digits) = (pick(1, 100, 1e4), irange(0, 5)); return sub { sprintf("%.${digits}f", (rand() - 0.5) * $scale) } }
sub line   { my ($x, $left) = (0, 0); return sub { $x = irange(-50, 50) if $left-- <= 0; $left = 3 if $left < 0; $x } }
sub nasty  { my $share = pick(3, 20, 60); return sub { chance($share) ? pick(@NUMBERS) : irange(-3, 3) } }
sub ends   { my $share = pick(3, 20, 60); return sub { chance($share) ? pick('Infinity', '-Infinity') : irange(-9, 9) } }
sub huge   { return sub { sprintf('%.17g', pick(1, -1) * (1 + rand()) * 10**irange(140, 307)) } }
sub tiny   { return sub { pick('-0', '0', sprintf('%.17g', pick(1, -1) * (1 + rand()) * 10**-irange(150, 320))) } }

sub cube_kinds {
    my %numbers = (grid => \&grid, spread => \&spread, line => \&line, nasty => \&nasty, ends => \&ends, huge => \&huge, tiny => \&tiny);
    my %kinds = map { my $factory = $numbers{$_}; $_ => [ sub { cubes_of($factory->()) } ] } keys %numbers;
    $kinds{few} = [ sub { my $next = cubes_of(grid()); my @values = map { $next->() } 1 .. irange(1, 5); sub { pick(@values) } } ];
    return \%kinds;
}

# Too many dimensions for an index of several such columns, unless it is told to take a few of them.
sub wide_cube_kinds {
    my $kinds = cube_kinds();
    $kinds->{wide} = [ sub { my $n = pick(20, 40, 99, 100); sub { corner(map { $_ % 7 ? 0 : irange(-5, 5) } 1 .. $n) } } ];
    return $kinds;
}

my $KINDS = wide_cube_kinds();

# The corners of a cube's text.
sub corners { return map { [ split /,/ ] } $_[0] =~ /\(([^)]*)\)/g }

# A cube of the column with some coordinates moved, a dimension less or more, or another corner.
sub near_cube {
    my ($column) = @_;
    my $pool = $column->{pool};
    return $KINDS->{ pick(sort keys %$KINDS) }[0]->()->() if !@$pool || chance(10);
    my ($low, $high) = corners(pick(@$pool));
    return cube_text($low, $high) if chance(40);
    ($high) = corners(pick(@$pool)) if chance(40);
    $high //= [@$low];
    my $by = pick(0, 1, 0.5, 3, 10, 1e3);
    my $n  = @$low < @$high ? @$low : @$high;
    $n = pick($n, $n, $n, rnd($n + 1), $n < 100 ? $n + 1 : $n);
    my @from = map { moved($low->[$_] // 0, -$by) } 0 .. $n - 1;
    my @to   = map { moved($high->[$_] // 0, $by) } 0 .. $n - 1;
    return cube_text(\@from, \@to);
}

sub moved { my ($number, $by) = @_; return $number =~ /^-?\d{1,6}(?:\.\d+)?$/ && chance(80) ? $number + $by : $number }

sub cube_arg { return "'" . near_cube($_[0]) . "'::cube" }

# 2N - 1 is the lower bound of dimension N, 2N the upper one, negative numbers order downwards.
sub coordinate_arg { return chance(2) ? '0' : pick(1, -1) * pick(1 .. 8, 16, 40, 1000) . '::int4' }

1;
