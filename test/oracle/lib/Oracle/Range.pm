# Values and query arguments of ranges and multiranges, made of the scalars' values or of those of a subtype of one's own.
#
# A range's bounds are put in order here as far as text allows; bounds that may not be in order are avoided by making the
# second from the first. Client side only: talks to no server, takes no lock.
package Oracle::Range;
use strict;
use warnings;
use Math::BigFloat;
use Oracle::Network qw(network_kinds compare_networks);
use Oracle::Random;
use Oracle::Scalar qw(scalar_kinds);
use Oracle::Text qw(alike);
use Exporter 'import';
our @EXPORT_OK = qw(range_kinds range_arg);

my %TOP = (int4 => '2147483647', int8 => '9223372036854775807', date => '5874897-12-31');

# Elements of subtypes of one's own, in forms whose order is known here: small letters sort alike under every collation, and
# of intervals 1 month, 30 days and 720 hours are equal.
my %OWN = (
    inet  => sub { my $kinds = network_kinds('inet'); return { map { $_ => $kinds->{$_} } qw(random hosts few) } },
    uuid  => sub { return { alike => [ sub { alike('uuid') } ], random => [ sub { sub { uuid() } } ] } },
    text  => sub { return { alike => [ sub { alike('lower') } ], short => [ sub { sub { join('', map { pick('a', 'b', 'z') } 1 .. irange(1, 10)) } } ] } },
    interval => sub { return { spans => [ sub { my $n = pick(3, 50, 5000); sub { irange(-$n, $n) . ' ' . pick('mons', 'days', 'hours') } } ],
            ends => [ sub { sub { pick('178000000 years', '-178000000 years', '0 days', '-1 mons', '30 days', '720 hours') } } ] } },
);
my %HOURS = (years => 12 * 720, mons => 720, days => 24, hours => 1);

sub uuid { return join('', map { sprintf '%x', rnd(16) } 1 .. 32) }

sub element_kinds { my ($element) = @_; return $OWN{$element} ? $OWN{$element}->() : scalar_kinds($element) }

# A key by which texts sort as the element type sorts.
sub sort_key {
    my ($element, $text) = @_;
    return [ 0, Math::BigFloat->bzero, $text ] if $element =~ /text|uuid/;
    return [ 0, Math::BigFloat->new($1)->bmul($HOURS{$2}), '' ] if $element eq 'interval' && $text =~ /(\S+) (\S+)/;
    my ($class, $number) = $text eq 'NaN' ? (2, 0) : $text =~ /^-inf/i ? (-1, 0) : $text =~ /^inf/i ? (1, 0) : (0, 0);
    return [ $class, Math::BigFloat->bzero, '' ] if $class;
    return [ 0, Math::BigFloat->new($text), '' ] if $element =~ /^int|numeric/;
    return [ 0, Math::BigFloat->bzero, '' ] if $text =~ /BC/;
    $text =~ /^(\d+)(.*)$/;
    return [ 0, Math::BigFloat->new($1), $2 ];
}

sub compare {
    my ($element, $left, $right) = @_;
    return compare_networks($left, $right) if $element eq 'inet';
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
    my $kinds = element_kinds($element);
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
    my $of   = $ranges{ pick(sort keys %ranges) }[0];
    $ranges{empty} = [ sub { my $next = $of->(); sub { chance(80) ? $multirange ? '{}' : 'empty' : $next->() } } ];
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
    my $kinds = $KINDS{$element} //= element_kinds($element);
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
