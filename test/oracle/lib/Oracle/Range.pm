# Values and query arguments of ranges and multiranges, made of the scalars' values.
#
# A range's bounds are put in order here as far as text allows; bounds that may not be in order are avoided by making the
# second from the first. Client side only: talks to no server, takes no lock.
package Oracle::Range;
use strict;
use warnings;
use Math::BigFloat;
use Oracle::Random;
use Oracle::Scalar qw(scalar_kinds);
use Exporter 'import';
our @EXPORT_OK = qw(range_kinds range_arg);

my %TOP = (int4 => '2147483647', int8 => '9223372036854775807', date => '5874897-12-31');

# A key by which texts sort as the element type sorts.
sub sort_key {
    my ($element, $text) = @_;
    my ($class, $number) = $text eq 'NaN' ? (2, 0) : $text =~ /^-inf/i ? (-1, 0) : $text =~ /^inf/i ? (1, 0) : (0, 0);
    return [ $class, Math::BigFloat->bzero, '' ] if $class;
    return [ 0, Math::BigFloat->new($text), '' ] if $element =~ /^int|numeric/;
    return [ 0, Math::BigFloat->bzero, '' ] if $text =~ /BC/;
    $text =~ /^(\d+)(.*)$/;
    return [ 0, Math::BigFloat->new($1), $2 ];
}

sub compare {
    my ($element, $left, $right) = @_;
    my ($l, $r) = map { sort_key($element, $_) } $left, $right;
    return $l->[0] <=> $r->[0] || $l->[1]->bcmp($r->[1]) || $l->[2] cmp $r->[2];
}

# Ends of all four kinds. Discrete types refuse to look for the value after their last one.
sub range_text {
    my ($element, $from, $to) = @_;
    ($from, $to) = ($to, $from) if compare($element, $from, $to) > 0;
    my ($open, $close) = (pick('[', '[', '('), pick(')', ')', ']'));
    $open  = '[' if ($TOP{$element} // '') eq $from;
    $close = ')' if ($TOP{$element} // '') eq $to;
    $from = '' if chance(4);
    $to   = '' if chance(4);
    return 'empty' if chance(3);
    return qq{$open"$from","$to"$close} =~ s/""//gr;
}

sub multirange_text {
    my ($next) = @_;
    return '{}' if chance(3);
    return '{' . join(',', map { $next->() } 1 .. pick(1, 1, 2, 3, 6)) . '}';
}

# Range values from one generator of elements.
sub range_kinds {
    my ($element, $multirange) = @_;
    my $kinds = scalar_kinds($element);
    my %ranges;
    for my $name (keys %$kinds) {
        my ($factory, $flag) = @{ $kinds->{$name} };
        $ranges{$name} = [
            sub {
                my $next  = $factory->();
                my $range = sub { range_text($element, $next->(), $next->()) };
                return $multirange ? sub { multirange_text($range) } : $range;
            },
            $flag
        ];
    }
    return \%ranges;
}

# The bounds of a random value of the column, as texts.
sub pool_bounds {
    my ($column) = @_;
    return unless @{ $column->{pool} };
    return pick(@{ $column->{pool} }) =~ /"([^"]*)"/g;
}

my %KINDS;

sub any_element {
    my ($element) = @_;
    my $kinds = $KINDS{$element} //= scalar_kinds($element);
    return $kinds->{ pick(sort keys %$kinds) }[0]->()->();
}

# An element on a bound of the data, or any.
sub near_element {
    my ($column, $element) = @_;
    my @bounds = chance(85) ? pool_bounds($column) : ();
    return @bounds ? pick(@bounds) : any_element($element);
}

# A constant of $type, which is the column's element, range or multirange type as $shape says.
sub range_arg {
    my ($column, $type, $shape, $element) = @_;
    return "'" . near_element($column, $element) . "'::$type" if $shape eq 'element';
    my $range = sub { range_text($element, near_element($column, $element), near_element($column, $element)) };
    return "'" . ($shape eq 'range' ? $range->() : multirange_text($range)) . "'::$type";
}

1;
