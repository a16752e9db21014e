# More index than memory: the server under a memory limit of a control group and with a budget that holds a quarter of
# its indexes.  Queries go to the indexes in turn at random, some far more often than others; meanwhile the bytes of the
# indexes' files that really are in memory (mincore) are compared with the budget, and all answers with sequential scans.
package Bench::Larger;
use strict;
use warnings;
use List::Util qw(max);
use Bench::Ratios;
use Bench::Stats qw(median quantile);
use Bench::Strips;
use Bench::Text qw(table number megabytes);

my $INDEXES = 24;
my $SERVER  = 96 * 2**20;    # what the server needs beside indexes, with small shared buffers
my $STEPS   = 120;
my $BURST   = 20;            # queries of a step

sub run {
    my ($db, $opt, $control) = @_;
    my @names = map { "larger_$_" } 1 .. $INDEXES;
    Bench::Strips::make($db, 'points', $_, $opt->rows(400_000, 60_000), 'xtree') for @names;
    my $total  = $db->value('SELECT sum(pg_relation_size(indexrelid)) FROM pg_stat_xtree_indexes WHERE relname LIKE \'larger%\'');
    my $budget = int($total / 4 / 1024) * 1024;
    my $limit  = max($SERVER, int(0.5 * $total));
    $control->later(sub { $control->restart });
    $control->set('shared_buffers' => '16MB', 'xtree.naptime' => '100ms', 'xtree.memory_budget' => $budget / 1024 . 'kB');
    $control->restart;
    my @files = map { $control->files("${_}_i") } @names;
    $control->drop_from_cache(@files);
    my $why = $control->limit_memory($limit);
    print "\nlarger: the limit of memory is SKIPPED, $why\n" if $why;
    my $figure = { indexes => $total, budget => $budget, limit => $why ? undef : $limit, _work($db, $control, \@names, \@files) };
    Bench::Strips::compare($db, $_, 1, 3) for @names;
    $control->undo;
    _report($figure);
    $db->do("DROP TABLE $_") for @names;
    return { figures => $figure, targets => [
        Bench::Ratios::target('larger than memory: resident MB after each cycle (95 of 100)', 'budget', $figure->{usual} / 2**20, $budget / 2**20, 1.0),
        Bench::Ratios::target('larger than memory: resident MB at rest', 'budget', $figure->{rest} / 2**20, $budget / 2**20, 1.0) ] };
}

# Steps of queries; after each the files are measured, when the worker has had its turn and while it has not.
sub _work {
    my ($db, $control, $names, $files) = @_;
    Bench::Strips::plans($db, 'bitmap');
    my (@at_once, @after_cycle, @shown, @us);
    srand 5;
    for my $step (1 .. $STEPS) {
        for (1 .. $BURST) {
            my ($us) = Bench::Strips::run($db, $names->[ int(@$names * rand()**3) ], 1 + int rand 64, 1);
            push @us, $us;
        }
        push @at_once, $control->resident_bytes(@$files);
        next if $step % 4;
        $control->await_cycle;
        push @after_cycle, $control->resident_bytes(@$files);
        push @shown, $db->value('SELECT resident_bytes FROM pg_stat_xtree_memory');
    }
    select undef, undef, undef, 1;
    my $rest = $control->resident_bytes(@$files);
    my $sum = $db->hash(q{SELECT sum(evictions) AS evictions, sum(loads) AS loads, sum(mapped_reads) AS mapped, sum(buffer_reads) AS buffers
                          FROM pg_stat_xtree_indexes WHERE relname LIKE 'larger%'});
    return (at_once => max(@at_once), usual => quantile(0.95, @after_cycle), middle => median(@after_cycle), shown => median(@shown), rest => $rest,
            us => median(@us), queries => scalar @us, evictions => $sum->{evictions}, loads => $sum->{loads},
            mapped_share => $sum->{mapped} / (($sum->{mapped} + $sum->{buffers}) || 1));
}

sub _report {
    my ($f) = @_;
    my $share = sub { sprintf '%.2f', $_[0] / $f->{budget} };
    table("More index than memory: $INDEXES indexes, $f->{queries} queries; resident bytes by mincore, in parts of the budget", 0,
        [ 'indexes MB', 'limit MB', 'budget MB', 'most at any time', '95 of 100 cycles', 'median', 'as the view says', 'at rest', 'evictions', 'loads', 'mapped reads', 'us/query' ],
        [ (map { defined $f->{$_} ? megabytes($f->{$_}) : 'none' } qw(indexes limit budget)), (map { $share->($f->{$_}) } qw(at_once usual middle shown rest)),
          @$f{qw(evictions loads)}, sprintf('%.0f %%', 100 * $f->{mapped_share}), number($f->{us}) ]);
    return;
}

1;
