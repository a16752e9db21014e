# How long planning takes, with the estimates of xtree and without: of a table with ten indexes of xtree that could all serve
# the query, and of one with 500; and of queries that have no condition on a column of theirs.
package Bench::Plans::Planning;
use strict;
use warnings;
use Bench::Stats qw(median paired_median);
use JSON::PP ();

my $REPETITIONS = 200;
my $WARM_UP     = 20;
my $COLUMNS     = 10;

# What the median with estimates may be above that without, in ms.
my ($NOTICED, $NOTHING) = (0.05, 0.01);

sub measure {
    my ($db, $opt, $modes) = @_;
    my @cases;
    for my $indexes (10, 500) {
        my $table = "plans_with_$indexes";
        _make($db, $table, $indexes, $indexes > 10 ? 5_000 : $opt->rows(100_000, 20_000));
        push @cases, { title => "$indexes candidates", most => $NOTICED, _medians($db, $table, $modes, \&_window) },
            { title => "$indexes indexes, none a candidate", most => $NOTHING, _medians($db, $table, $modes, \&_number) };
        $db->do("DROP TABLE $table");
    }
    return \@cases;
}

sub _make {
    my ($db, $table, $indexes, $rows) = @_;
    my @columns = map { "c$_" } 1 .. $COLUMNS;
    $db->seed(0.77);
    my $numbers = join ', ', map { "(1000 * random())::int AS $_" } @columns;
    $db->do("CREATE TABLE $table AS SELECT id, point(1000 * random(), 1000 * random()) AS p, $numbers FROM generate_series(1, $rows) id");
    $db->do("CREATE INDEX ${table}_$_ ON $table USING xtree (p, $columns[ $_ % $COLUMNS ])") for 1 .. $indexes;
    $db->do("VACUUM (ANALYZE) $table");
    return;
}

# Another condition each time, so that nothing can be remembered.
sub _window {
    my ($i) = @_;
    my ($x, $y) = map { $_ * ($i + 100) % 900 } 37, 101;
    return sprintf "p <@ box '(%d,%d),(%d,%d)'", $x, $y, $x + 30, $y + 30;
}

sub _number { my ($i) = @_; return 'id = ' . ($i + 100) }

# The modes take turns.
sub _medians {
    my ($db, $table, $modes, $condition) = @_;
    my %ms;
    for my $i (-$WARM_UP .. $REPETITIONS - 1) {
        for my $mode ($i % 2 ? @$modes : reverse @$modes) {
            $db->do("SET xtree.estimate_rows = $mode") if @$modes > 1;
            my $explained = $db->value("EXPLAIN (SUMMARY, FORMAT JSON) SELECT id FROM $table WHERE " . $condition->($i));
            push @{ $ms{$mode} }, JSON::PP->new->decode($explained)->[0]{'Planning Time'} if $i >= 0;
        }
    }
    $db->do('RESET xtree.estimate_rows') if @$modes > 1;
    return (ms => { map { $_ => median(@{ $ms{$_} }) } @$modes }, difference => $ms{auto} && paired_median($ms{auto}, $ms{off}));
}

1;
