# The same searches with a cache for a quarter of the table and its index: the server in a control group with as much memory, shared buffers of half of
# that, restarted for it and once more for what comes after.
package Bench::Vectors::Quarter;
use strict;
use warnings;
use Bench::Vectors::Search;

my $SERVER  = 96 * 2**20;    # what the server needs beside its cache
my $QUERIES = 20;

# For `how` (a scan, or by the index) and each value of a setting, undef for none: milliseconds a query, behind the cache's bytes.
sub measure {
    my ($db, $control, $set, $how, $setting, @values) = @_;
    my $bytes = int($db->value("SELECT pg_total_relation_size('$set->{key}_rows')") / 4);
    $db->do('CHECKPOINT');
    $control->later(sub { $control->restart });
    $control->set(shared_buffers => int($bytes / 2 / 1024) . 'kB');
    $control->restart;
    my $why = $control->limit_memory($SERVER + $bytes);
    my %ms;
    if (!$why) {
        my $search = Bench::Vectors::Search::prepare($db, $set, {});
        Bench::Vectors::Search::choose($db, $how);
        for my $value (@values) {
            $db->do("SET $setting = $value") if defined $value;
            $ms{ $value // 'exact' } = Bench::Vectors::Search::run($db, $search, $set->{queries} < $QUERIES ? $set->{queries} : $QUERIES)->{ms};
        }
    }
    $control->undo;
    return { bytes => $bytes, why => $why, ms => \%ms };
}

1;
