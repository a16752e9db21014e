# The data sets of the benchmark, as plain descriptions that the other parts walk.
#
# A data set:  key, title, rows, base (SQL that makes <key>_base), peers, classes, write, needs
#              (extensions).
# A peer:      name, index (SQL with %t for the table), select (its copy of the base
#              table, default all columns), mode (overrides the class's).
# A class:     key, group, title, mode, constants (SELECT of the query constants),
#              expr and from (the timed statement: SELECT expr FROM from; q is the row of
#              constants), digest and digest_from (what must be equal beyond the count),
#              own (the same fields per peer), skip (peers that cannot answer it).
# mode 'index' allows plain and index-only scans, 'bitmap' only bitmap scans, 'sequential' no index, 'any' what the planner
# likes best.
package Bench::Data;
use strict;
use warnings;

use Bench::Data::Areas;
use Bench::Data::Bookings;
use Bench::Data::Boxes;
use Bench::Data::Cities;
use Bench::Data::Cubes;
use Bench::Data::Places;
use Bench::Data::Points;
use Bench::Data::Reports;
use Bench::Data::Scalars;

my @PACKAGES = qw(Points Cities Boxes Scalars Cubes Bookings Areas Places);

# What was asked for.
sub selected {
    my ($opt, $db) = @_;
    return map { _available($opt, $db, "Bench::Data::$_"->describe($opt)) } grep { $opt->wants_dataset(lc) } @PACKAGES;
}

# The data sets of the part `reports`.
sub reports { my ($opt, $db) = @_; return _available($opt, $db, Bench::Data::Reports->describe($opt)) }

# A data set whose extensions are not there is left out, which is said.
sub _available {
    my ($opt, $db, @described) = @_;
    my @sets;
    for my $set (@described) {
        my ($missing) = grep { defined } map { $db->cannot_install($_) } @{ $set->{needs} // [] };
        print "\n$set->{key}: SKIPPED, $missing\n" if $missing;
        next if $missing;
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
