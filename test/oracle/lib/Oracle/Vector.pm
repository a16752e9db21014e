# Values, windows and query arguments of vectors, made of the floats' values; and of pgvector's types.
#
# Client side only: talks to no server, takes no lock.
package Oracle::Vector;
use strict;
use warnings;
use Oracle::Random;
use Oracle::Scalar qw(scalar_kinds);
use Exporter 'import';
our @EXPORT_OK = qw(vector_kinds wide_kinds vector_arg window_arg stored_kinds stored_arg);

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

# The same of many dimensions; around a few places, as embeddings lie, and with one coordinate among all that is none.
sub wide_kinds {
    my ($element, $dims) = @_;
    my %vectors = %{ vector_kinds($element, $dims) };
    $vectors{places} = [ sub {
        my $width  = pick(0.01, 0.3, 3);
        my @places = map { [ map { gauss() } 1 .. $dims ] } 1 .. irange(1, 30);
        return sub { my $place = pick(@places); return vector_text(map { sprintf '%.5g', $_ + gauss() * $width } @$place) };
    } ];
    $vectors{spoiled} = [ sub {
        my ($next, $share) = ($vectors{places}[0]->(), pick(1, 10, 60));
        return sub {
            my $text = $next->();
            return $text unless chance($share);
            return vector_text((0) x $dims) if chance(30);
            my ($at, $odd) = (rnd($dims), pick('NaN', 'Infinity', '-Infinity', '1e30', '-1e-30', '-0'));
            return vector_text(map { $_->[0] == $at ? $odd : $_->[1] } do { my $i = 0; map { [ $i++, $_ ] } $text =~ /([^{},]+)/g });
        };
    } ];
    return \%vectors;
}

my %KINDS;

sub any_vector {
    my ($element, $dims) = @_;
    my $kinds = $KINDS{"$element $dims"} //= $dims > 20 ? wide_kinds($element, $dims) : vector_kinds($element, $dims);
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

# --- vector and halfvec of pgvector: no NaN, nothing infinite -------------------

# The greatest number of each, and those at which its sums overflow, vanish or lose digits.
my %EDGES = (vector => [ 0, '-0', '3.4e38', '-3.4e38', '1.8e19', '-1e19', '1e-45', '1e-23', '-1e-20', '1e-12', 16777217, 0.1 ],
    halfvec => [ 0, '-0', 65504, -65504, '6e-8', '-6e-8', '6.1e-5', 2049, 0.1, 255.9 ]);

sub stored_text { return '[' . join(',', @_) . ']' }

sub stored_kinds {
    my ($type, $dims) = @_;
    my $of = sub { my ($next) = @_; return sub { stored_text(map { $next->() } 1 .. $dims) } };
    my $few = sub { my @values = map { irange(-3, 3) } 1 .. 3; return $of->(sub { pick(@values) }) };
    return {
        grid   => [ sub { my $n = pick(1, 3, 10, 40); $of->(sub { irange(-$n, $n) }) } ],
        spread => [ sub { my $scale = pick(0.01, 1, 100); $of->(sub { sprintf '%.5f', gauss() * $scale }) } ],
        edges  => [ sub { my $share = pick(3, 20, 80); $of->(sub { chance($share) ? pick(@{ $EDGES{$type} }) : irange(-3, 3) }) } ],
        line   => [ sub { sub { stored_text((irange(-50, 50)) x $dims) } } ],
        few    => [$few],
    };
}

my %STORED;

sub stored_arg {
    my ($column, $type, $dims) = @_;
    my $kinds = $STORED{"$type $dims"} //= stored_kinds($type, $dims);
    my $near = @{ $column->{pool} } && chance(85) ? pick(@{ $column->{pool} }) : $kinds->{ pick(sort keys %$kinds) }[0]->()->();
    return "'$near'::$type";
}

1;
