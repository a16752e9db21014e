# Large indexes: points and boxes, a hundredth, a tenth and all of them, with one index of each method in turn on the same table. Build, size and
# queries with everything in memory; of the largest also what the disk reads when the index was dropped from the page cache, and xtree with a
# budget of a tenth of its index.
package Bench::Large;
use strict;
use warnings;
use List::Util qw(max);
use Bench::Ratios;
use Bench::Stats qw(median quantile);
use Bench::Text qw(table number megabytes);

my $QUERIES = 400;    # of a round
my $COLD    = 100;    # with the index on disk
my $CHECKED = 2;      # by the sequential scan, too
my @METHODS = qw(xtree gist spgist);

my %KIND = (
    points => { rows => 100_000_000, row => 'point(random(), random())', window => 'k <@ box(point(x, y), point(x + side, y + side))' },
    boxes  => { rows => 50_000_000, row => 'box(point(x, y), point(x + random() * extent, y + random() * extent))', window => 'k && box(point(x, y), point(x + side, y + side))' },
);
my @QUESTIONS = ('window of 100', 'nearest 10');

sub run {
    my ($db, $opt, $control) = @_;
    my $cannot = $control->why_not // $control->why_not_preloaded;
    print "\nlarge: the disk's reads and the budget are SKIPPED, $cannot\n" if $cannot;
    my @methods = grep { $opt->has_peer($_) } @METHODS;
    my (@figures, @targets);
    for my $kind (sort keys %KIND) {
        my @stages = map { max(10_000, int($KIND{$kind}{rows} * $opt->{scale} / $_)) } 100, 10, 1;
        my %one;
        for my $rows (@stages) {
            my $is_largest = $rows == $stages[-1];
            $one{$rows} = _stage($db, $opt, $kind, $rows, \@methods, !$cannot && $is_largest ? $control : undef);
        }
        _report($kind, \@stages, \@methods, \%one);
        push @targets, _targets($kind, \@stages, \%one);
        push @figures, { kind => $kind, stages => \%one };
    }
    return { figures => \@figures, targets => \@targets };
}

# What each method does with a table of so many rows: { method => { seconds, bytes, height, us => {}, pages => {}, cold => {}, budget => {} } }
sub _stage {
    my ($db, $opt, $kind, $rows, $methods, $control) = @_;
    _make($db, $kind, $rows);
    my (%of, %answer);
    for my $method (@$methods) {
        $db->do('CHECKPOINT');
        my $start = $db->clock;
        $db->do("CREATE INDEX large_i ON large USING $method (k)");
        my $one = $of{$method} = { seconds => ($db->clock - $start) / 1e6, bytes => $db->value("SELECT pg_relation_size('large_i')") };
        $one->{height} = $db->value("SELECT max(height) FROM xtree_index_info('large_i')") if $method eq 'xtree';
        $db->do('VACUUM large');
        _by_index($db);
        for my $question (0 .. $#QUESTIONS) {
            my ($us, $pages, $answer) = _ask($db, $opt, $question);
            $one->{us}{ $QUESTIONS[$question] }    = $us;
            $one->{pages}{ $QUESTIONS[$question] } = $pages;
            $answer{ $QUESTIONS[$question] }{$answer} = 1;
            _check($db, $kind, $rows, $method, $question) if $method eq 'xtree';
        }
        if ($control) {
            $one->{cold}   = _cold($db, $control);
            $one->{budget} = _budget($db, $control, $one->{bytes}) if $method eq 'xtree';
        }
        $db->do('DROP INDEX large_i');
    }
    $db->differ("large: $rows $kind, $_: " . join ' and ', sort keys %{ $answer{$_} }) for grep { keys %{ $answer{$_} } > 1 } sort keys %answer;
    $db->do('DROP TABLE large');
    return \%of;
}

# large_run(question, first, count): so many queries at places that are everywhere.
sub _make {
    my ($db, $kind, $rows) = @_;
    $db->seed(0.37);
    $db->do('DROP TABLE IF EXISTS large');
    my $extent = 0.5 / sqrt $rows;
    $db->do("CREATE TABLE large AS SELECT g AS id, " . $KIND{$kind}{row} =~ s/extent/$extent/gr . " AS k FROM (SELECT g::int, random() AS x, random() AS y FROM generate_series(1, $rows) g OFFSET 0) c");
    $db->do('VACUUM (ANALYZE) large');
    my $window = $KIND{$kind}{window};
    $db->do(<<"SQL");
CREATE OR REPLACE FUNCTION large_run(question int, first int, count int, OUT us float8, OUT total int8, OUT digest int8) LANGUAGE plpgsql AS \$\$
DECLARE
    x float8; y float8; n int8; s int8; start float8; side float8 := sqrt(100.0 / $rows);
BEGIN
    total := 0; digest := 0;
    start := bench_clock();
    FOR i IN first .. first + count - 1 LOOP
        x := (i * 0.6180339887498949) % 0.99;
        y := (i * 0.7548776662466927) % 0.99;
        IF question = 0 THEN
            SELECT count(*), coalesce(sum(id), 0) INTO n, s FROM large WHERE $window;
        ELSE
            SELECT count(*), coalesce(sum(id), 0) INTO n, s FROM (SELECT id FROM large ORDER BY k <-> point(x, y) LIMIT 10) nearest;
        END IF;
        total := total + n;
        digest := (digest * 31 + s) % 1000000007;
    END LOOP;
    us := bench_clock() - start;
END \$\$
SQL
    return;
}

sub _by_index {
    my ($db) = @_;
    $db->do("SET $_ = off") for qw(enable_seqscan enable_bitmapscan);
    $db->do('DISCARD PLANS');
    return;
}

# Median time and pages of a query, and all answers.
sub _ask {
    my ($db, $opt, $question) = @_;
    my $call = "SELECT us, total || ' rows, ' || digest FROM large_run($question, 1, $QUERIES)";
    $db->row($call);
    my $before = $db->counters('large');
    my (@us, $answer);
    for (1 .. $opt->{rounds}) { (my $us, $answer) = $db->row($call); push @us, $us / $QUERIES }
    my $after = $db->counters('large');
    die "large: not answered by the index\n" if $after->{index_scans} < $before->{index_scans} + $QUERIES;
    return (median(@us), ($after->{index_blocks} - $before->{index_blocks}) / $opt->{rounds} / $QUERIES, $answer);
}

# The first queries once more by the sequential scan.
sub _check {
    my ($db, $kind, $rows, $method, $question) = @_;
    my $answer = "SELECT total || ' rows, ' || digest FROM large_run($question, 1, $CHECKED)";
    my $by_index = $db->value($answer);
    $db->do("SET $_") for 'enable_seqscan = on', 'enable_indexscan = off', 'enable_indexonlyscan = off';
    $db->do('DISCARD PLANS');
    my $truth = $db->value($answer);
    $db->do("RESET $_") for qw(enable_indexscan enable_indexonlyscan);
    _by_index($db);
    $db->differ("large: $rows $kind, $QUESTIONS[$question] by $method: $by_index instead of $truth") if $by_index ne $truth;
    return;
}

# Windows after a restart, with nothing of the index in memory: their time on the clock, and what the server, with xtree's worker, read from the disk.
sub _cold {
    my ($db, $control) = @_;
    my @files = $control->files('large_i');
    $control->restart(sub { $control->drop_from_cache(@files) });
    my $before = _read_bytes($control);
    _by_index($db);
    $db->do('SELECT large_run(0, 1, 0)');
    my $start = $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6');
    $db->do("SELECT large_run(0, 1001, $COLD)");
    my $us = $db->value('SELECT extract(epoch FROM clock_timestamp()) * 1e6') - $start;
    return { us => $us / $COLD, bytes => (_read_bytes($control) - $before) / $COLD };
}

# Of all processes that there are.
sub _read_bytes {
    my ($control) = @_;
    my $sum = 0;
    for my $pid ($control->processes) {
        open my $in, '<', "/proc/$pid/io" or next;
        $sum += /^read_bytes: (\d+)/ ? $1 : 0 for <$in>;
    }
    return $sum;
}

# With a budget of a tenth of the index: queries everywhere, and what of it is in memory by mincore() after cycles of the worker.
sub _budget {
    my ($db, $control, $bytes) = @_;
    my $budget = int($bytes / 10 / 1024) * 1024;
    my @files  = $control->files('large_i');
    $control->later(sub { $control->restart });
    $control->set('shared_buffers' => '16MB', 'xtree.naptime' => '100ms', 'xtree.memory_budget' => $budget / 1024 . 'kB');
    $control->restart(sub { $control->drop_from_cache(@files) });
    _by_index($db);
    my (@us, @resident);
    for my $step (1 .. 40) {
        my ($us) = $db->row("SELECT us FROM large_run(0, $step * 1000, $QUERIES)");
        push @us, $us / $QUERIES;
        $control->await_cycle;
        push @resident, $control->resident_bytes(@files);
    }
    $control->undo;
    _by_index($db);
    return { us => median(@us), budget => $budget, usual => quantile(0.95, @resident) };
}

sub _report {
    my ($kind, $stages, $methods, $one) = @_;
    my @lines;
    for my $rows (@$stages) {
        for my $method (@$methods) {
            my $m = $one->{$rows}{$method};
            push @lines, [ $rows, $method, number($m->{seconds}), megabytes($m->{bytes}), $m->{height} // '', (map { number($m->{us}{$_}), number($m->{pages}{$_}) } @QUESTIONS),
                $m->{cold} ? (number($m->{cold}{us}), number($m->{cold}{bytes} / 8192)) : ('', '') ];
        }
    }
    table("Large: $kind, one index at a time (cold: the index dropped from memory, wall clock; what the disk read in pages of 8 kB)", 2,
        [ 'rows', 'index', 'build s', 'MB', 'height', (map { ("$_ us", 'pages') } @QUESTIONS), 'cold us', 'read' ], @lines);
    my $budget = $one->{ $stages->[-1] }{xtree}{budget} or return;
    printf "With a budget of a tenth (%s MB): %s MB in memory after 95 of 100 cycles, a window %s us.\n", megabytes($budget->{budget}), megabytes($budget->{usual}), number($budget->{us});
    return;
}

sub _targets {
    my ($kind, $stages, $one) = @_;
    my ($middle, $largest) = map { $one->{$_} } @$stages[1, 2];
    my ($xtree, $gist) = @$largest{qw(xtree gist)};
    my @targets;
    if ($gist) {
        push @targets, Bench::Ratios::target("large $kind: build, s", 'gist', $xtree->{seconds}, $gist->{seconds}, 0.3),
            Bench::Ratios::target("large $kind: size, MB", 'gist', $xtree->{bytes} / 2**20, $gist->{bytes} / 2**20, 1),
            map { Bench::Ratios::target("large $kind: $_, us", 'gist', $xtree->{us}{$_}, $gist->{us}{$_}, 1) } @QUESTIONS;
        push @targets, Bench::Ratios::target("large $kind: cold window of 100, read kB", 'gist', $xtree->{cold}{bytes} / 1024, $gist->{cold}{bytes} / 1024, 0.5) if $xtree->{cold};
    }
    my $taller = 1.05 * $xtree->{height} / $middle->{xtree}{height};    # and what the places of the queries make
    push @targets, map { Bench::Ratios::target("large $kind: $_, pages", 'a tenth of the rows', $xtree->{pages}{$_}, $middle->{xtree}{pages}{$_}, $taller) } @QUESTIONS;
    push @targets, Bench::Ratios::target("large $kind: resident MB with a budget of a tenth", 'budget', $xtree->{budget}{usual} / 2**20, $xtree->{budget}{budget} / 2**20, 1)
        if $xtree->{budget};
    return @targets;
}

1;
