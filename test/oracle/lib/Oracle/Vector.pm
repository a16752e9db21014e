# Values, windows and query arguments of vectors, made of the floats' values.
#
# Client side only: talks to no server, takes no lock.
package Oracle::Vector;
use strict;
use warnings;
use Oracle::Random;
use Oracle::Scalar qw(scalar_kinds);
use Exporter 'import';
our @EXPORT_OK = qw(vector_kinds vector_arg window_arg);

sub vector_text { return '{' . join(',', @_) . '}' }

# Every kind of float in all coordinates, and sums that overflow or lie on a line.
sub vector_kinds {
    my ($element, $dims) = @_;
    my $kinds = scalar_kinds($element);
    my %vectors = map {
        my $factory = $kinds->{$_}[0];
        $_ => [ sub { my $next = $factory->(); return sub { vector_text(map { $next->() } 1 .. $dims) } } ]
    } keys %$kinds;
    $vectors{line} = [ sub { sub { vector_text((irange(-50, 50)) x $dims) } } ];
    return \%vectors;
}

my %KINDS;

sub any_vector {
    my ($element, $dims) = @_;
    my $kinds = $KINDS{$element} //= vector_kinds($element, $dims);
    return $kinds->{ pick(sort keys %$kinds) }[0]->()->();
}

sub near_vector {
    my ($column, $element, $dims) = @_;
    return @{ $column->{pool} } && chance(85) ? pick(@{ $column->{pool} }) : any_vector($element, $dims);
}

sub vector_arg {
    my ($column, $element, $dims) = @_;
    return "'" . near_vector(@_) . "'::$element\[]";
}

# Between two vectors of the data, moved apart; inside out now and then.
sub window_arg {
    my ($column, $element, $dims) = @_;
    my @corners = map { [ near_vector($column, $element, $dims) =~ /([^{},]+)/g ] } 1, 2;
    my (@lower, @upper);
    for my $d (0 .. $dims - 1) {
        my ($low, $high) = map { $_->[$d] } @corners;
        ($low, $high) = ($high, $low) if chance(95) && "$low$high" =~ /^[-+0-9.e]+$/ && $low > $high;
        push @lower, chance(20) ? '-Infinity' : $low;
        push @upper, chance(20) ? 'Infinity' : $high;
    }
    return "xtree_window('" . vector_text(@lower) . "', '" . vector_text(@upper) . "')";
}

1;
