# The data sets of the benchmark, as plain descriptions that the other parts walk.
#
# A data set:  key, title, rows, base (SQL that makes <key>_base), peers, classes, write.
# A peer:      name, index (SQL with %t for the table), select (its copy of the base
#              table, default all columns), mode (overrides the class's).
# A class:     key, group, title, mode, constants (SELECT of the query constants),
#              expr and from (the timed statement: SELECT expr FROM from; q is the row of
#              constants), digest and digest_from (what must be equal beyond the count),
#              own (the same fields per peer), skip (peers that cannot answer it).
# mode 'index' allows plain and index-only scans, 'bitmap' only bitmap scans.
package Bench::Data;
use strict;
use warnings;

use Bench::Data::Boxes;
use Bench::Data::Cities;
use Bench::Data::Points;
use Bench::Data::Scalars;

sub selected {
    my ($opt) = @_;
    my @sets;
    for my $package (qw(Points Cities Boxes Scalars)) {
        next unless $opt->wants_dataset(lc $package);
        my $set = "Bench::Data::$package"->describe($opt);
        $set->{peers}   = [ grep { $opt->has_peer($_->{name}) } @{ $set->{peers} } ];
        $set->{classes} = [ grep { $opt->wants_class($_->{key}, $_->{group}) } @{ $set->{classes} } ];
        push @sets, $set;
    }
    return @sets;
}

# The fields of a class as this peer runs it.
sub for_peer {
    my ($class, $peer) = @_;
    my %merged = (%$class, mode => $peer->{mode} // $class->{mode}, %{ $class->{own}{ $peer->{name} } // {} });
    return \%merged;
}

1;
