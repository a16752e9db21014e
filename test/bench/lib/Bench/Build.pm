# Tables and build times: every peer has its own copy of the base table, row for row in
# the same order, and the same indexes are dropped and built again, alternating over the
# peers.  Each build starts after a checkpoint.  The last build stays for the queries.
package Bench::Build;
use strict;
use warnings;
use Bench::Stats qw(median);

# An index that takes longer than this is built once only (its count is in the table).
my $SLOW_SECONDS = 25;

sub table_of { my ($set, $peer) = @_; return "$set->{key}_$peer->{name}" }

sub load {
    my ($db, $set) = @_;
    $db->seed(0.42);
    for my $step (@{ $set->{base} }) { ref $step ? $step->($db) : $db->do($step) }
    $db->do("VACUUM (ANALYZE) $set->{key}_base");
    for my $peer (@{ $set->{peers} }) {
        my $table  = table_of($set, $peer);
        my $select = $peer->{select} // "SELECT * FROM $set->{key}_base";
        $db->do("CREATE TABLE $table AS $select");
        $db->do("VACUUM (ANALYZE) $table");
    }
    return;
}

sub measure {
    my ($db, $opt, $set) = @_;
    my %seconds;
    my $repeats = $opt->wants('build') ? $opt->{repeats} : 1;
    for my $round (1 .. $repeats) {
        for my $peer (@{ $set->{peers} }) {
            my $done = $seconds{ $peer->{name} } //= [];
            next if @$done && $done->[0] > $SLOW_SECONDS;
            push @$done, build_once($db, table_of($set, $peer), $peer);
        }
    }
    $db->do('VACUUM ' . table_of($set, $_)) for @{ $set->{peers} };
    return [ map { _result($db, $set, $_, $seconds{ $_->{name} }) } @{ $set->{peers} } ];
}

# Builds the peer's indexes on the table and returns the seconds that took.
sub build_once {
    my ($db, $table, $peer) = @_;
    $db->do("DROP INDEX $_")
        for $db->column("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = '$table'::regclass");
    $db->do('CHECKPOINT');
    my $start = $db->clock;
    create_indexes($db, $table, $peer);
    return ($db->clock - $start) / 1e6;
}

sub create_indexes {
    my ($db, $table, $peer) = @_;
    $db->do(s/%t/$table/r) for @{ $peer->{index} };
    return;
}

sub _result {
    my ($db, $set, $peer, $seconds) = @_;
    my $bytes = $db->value("SELECT pg_indexes_size('" . table_of($set, $peer) . "')");
    return {
        peer => $peer->{name}, seconds => median(@$seconds), all => $seconds, builds => scalar @$seconds,
        bytes => $bytes + 0, bytes_per_row => $bytes / $set->{rows},
    };
}

sub drop {
    my ($db, $set) = @_;
    $db->do("DROP TABLE IF EXISTS $_") for "$set->{key}_base", map { table_of($set, $_) } @{ $set->{peers} };
    return;
}

1;
