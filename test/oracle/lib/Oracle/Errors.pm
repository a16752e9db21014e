# Errors of the two runs of a query: which of them decide something, and which are a failure.
#
# The same SQLSTATE on both sides agrees. An index must not raise what the sequential scan does not, but for what any index
# has the executor do: it tests an index's conditions on the rows, and computes distances of rows, before the conditions
# that the index does not serve. So an error with the index only is excused if the sequential scan raises it too once those
# conditions are left out, with the other conditions of the index before the one that raises it.
# Locks: those of the queries.
package Oracle::Errors;
use strict;
use warnings;
use Oracle::Query qw(query_sql with_values);
use Exporter 'import';
our @EXPORT_OK = qw(error_outcome of_values reduced_queries);

my $OF_POSTGIS = qr/mixed[ ]SRID | GEOS | IllegalArgument | TopologyException | GeometryCollection | unsupported | antipodal | measure[ ]dimension
    | geometry[ ]type | \b(?:lw|ptarray)\w+/xi;

# Is it an error of a function for some rows' values: of class 22, or of PostGIS, which gives its own no class?
sub of_values {
    my ($result) = @_;
    my ($state, $message) = map { $_ // '' } @$result{qw(state message)};
    return 1 if $state =~ /^22/;
    return $state eq 'XX000' && $message =~ $OF_POSTGIS ? 1 : 0;
}

# The query without what no index serves, once for each condition, with that one tested last, and once with its distances. Every row
# is visited: a semi-join would end at its first match.
sub reduced_queries {
    my ($q, @served) = @_;
    my $shape = ($q->{probes} || $q->{pairs}) && $q->{shape} ne 'lateral' ? 'join' : 'count';
    my @orders = map { my $last = $_; [ (grep { $_ ne $last } @served), $last ] } @served;
    my @distances = $q->{shape} =~ /^(?:knn|lateral)$/ ? { %$q, fetch => 'plain', quals => [@served] } : ();
    return @distances, map { { %$q, shape => $shape, fetch => 'plain', quals => $_ } } @orders || $shape eq 'count' ? @orders : [];
}

# error_outcome(query, result without the index, result with it, sub (condition): does an index serve it,
# sub (query): its result by a sequential scan): agreed, skipped, excused or failed.
sub error_outcome {
    my ($q, $truth, $answer, $served, $scan) = @_;
    my ($without, $with) = map { $_->{state} // '' } $truth, $answer;
    return 'skipped' if grep { /^(?:25P02|40001|40P01)$/ } $without, $with;
    my ($row_without, $row_with) = map { of_values($_) } $truth, $answer;
    return 'agreed'  if $without eq $with && $row_without == $row_with;
    return 'skipped' if $row_without && (!$with || $row_with);
    return 'failed'  if !$row_with || $without;
    my @served = grep { $served->($_) } @{ $q->{quals} };
    for my $reduced (reduced_queries($q, @served)) {
        return 'excused' if ($scan->($reduced)->{state} // '') eq $with;
    }
    return 'failed';
}

1;
