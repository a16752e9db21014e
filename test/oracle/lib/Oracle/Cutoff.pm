# Conditions on distances: WHERE column <-> constant < r, beside ORDER BY the same distance, another one, or none.
#
# r is at the edge where it can be: the distance of a value of the column, the next number after it, 0, nothing, or no
# number at all. In a lateral join it is a column of the other table.
# Client side only: talks to no server, takes no lock.
package Oracle::Cutoff;
use strict;
use warnings;
use Oracle::Condition qw(argument placed);
use Oracle::Random;
use Exporter 'import';
our @EXPORT_OK = qw(cutoff probe_cutoff distance_type);

# The types of distances that are no float8, by the type of the column.
my %DISTANCE = (date => 'int4', float4 => 'float4', map({ $_ => $_ } qw(int2 int4 int8 oid money)), map({ $_ => 'interval' } qw(time timestamp timestamptz interval)));
my %RADIUS = (
    float8 => [ 0, '-0', 1, -1, 0.5, 5, 100, '1e-300', '1e300', 'NaN', 'Infinity', '-Infinity' ],
    float4 => [ 0, '-0', 1, -1, 100, '1e-30', '1e38', 'NaN', 'Infinity' ],
    interval => [ 0, '1 mon', '30 days', '-1 day', '1 microsecond', '5 hours' ],
);

sub distance_type { return $DISTANCE{ $_[0] } // 'float8' }

# The distance of a value of the column from the constant, as a constant expression: so it is one of those in the table.
sub existing {
    my ($key, $op, $text) = @_;
    my $column = $key->{column};
    return undef unless @{ $column->{pool} };
    my $value = "'" . pick(@{ $column->{pool} }) . "'::$column->{type}{name}";
    my $of = $key->{sql} =~ s/\b$column->{name}\b/($value)/gr;
    return "($of $op $text)";
}

sub radius {
    my ($key, $op, $text) = @_;
    my $type  = distance_type($key->{type}{name});
    my $there = chance(70) ? existing($key, $op, $text) : undef;
    return "NULL::$type" if chance(3);
    return "'" . pick(@{ $RADIUS{$type} // [ 0, 1, 2, 5, 100, 30000 ] }) . "'::$type" unless defined $there;
    return "($there * '1.0000000000000002'::float8)" if $type eq 'float8' && chance(20);
    return $there;
}

# One condition on a distance, mostly that of the order.
sub cutoff {
    my ($q, $key, $op, $argtype, $text, $constant) = @_;
    if (chance(12)) {
        $text = argument($key, $argtype, 2);
        $constant = placed($q, $argtype, $text);
    }
    my $distance = "$key->{sql} $op $constant";
    my $r = placed($q, distance_type($key->{type}{name}), radius($key, $op, $text));
    return pick("$distance < $r", "$distance < $r", "$distance <= $r", "$distance <= $r", "$r > $distance", "$r >= $distance", "$distance = $r",
        "$distance >= $r", "$distance > $r", "NOT ($distance > $r)");
}

# Gives each probe of a lateral join a radius of its own.
sub probe_cutoff {
    my ($q, $key, $op, $argtype) = @_;
    push @$_, radius($key, $op, $_->[1]) for @{ $q->{probes} };
    my $sign = pick('<', '<=');
    $q->{probe_cutoff} = chance(70) ? "$q->{probe_qual} $sign v.r" : 'v.r ' . ($sign eq '<' ? '>' : '>=') . " $q->{probe_qual}";
    return;
}

1;
