# Deferred indexes: 1,000 CREATE INDEX on tables with rows and without; and one table with ten indexes of which five are
# used, built at once beside built on first use: time of the statements and of the builds, disk, page cache, writes.
package Bench::Deferred;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Stats qw(median);
use Bench::Text qw(table number megabytes);
use Time::HiRes qw(time usleep);

my $TABLES  = 100;
my $COLUMNS = 10;
my $USED    = 5;
my $BATCHES = 5;

sub run {
    my ($db, $opt, $control) = @_;
    my $creates = _creates($db, $opt);
    my $used    = _used($db, $opt, $control);
    _report($creates, $used);
    return { figures => { creates => $creates, used => $used }, targets => _targets($creates, $used) };
}

sub _columns { my ($what) = @_; return join ', ', map { sprintf $what, $_ } 0 .. $COLUMNS - 1 }

# In turn, so that what disturbs the machine disturbs both.
sub _creates {
    my ($db, $opt) = @_;
    my $rows = $opt->rows(10_000, 1_000);
    for my $t (1 .. $TABLES) {
        $db->do("CREATE TABLE ${_}_$t (" . _columns('c%d int4') . ')') for qw(bare filled);
        $db->do("INSERT INTO filled_$t SELECT " . _columns('(random() * 1e6)::int4 + 0 * %d') . " FROM generate_series(1, $rows)");
    }
    my (%seconds, %bytes);
    for my $round (1 .. $opt->{repeats}) {
        for my $kind (qw(bare filled)) {
            my $begin = time;
            for my $t (1 .. $TABLES) {
                $db->do("CREATE INDEX ${kind}_${t}_$_ ON ${kind}_$t USING xtree (c$_) WITH (build = deferred)") for 0 .. $COLUMNS - 1;
            }
            push @{ $seconds{$kind} }, time - $begin;
            $bytes{$kind} = $db->value("SELECT sum(pg_relation_size(indexrelid)) FROM pg_stat_xtree_indexes WHERE relname LIKE '${kind}\\_%'");
            for my $t (1 .. $TABLES) { $db->do('DROP INDEX ' . join ', ', map { "${kind}_${t}_$_" } 0 .. $COLUMNS - 1) }
        }
    }
    $db->do("DROP TABLE bare_$_, filled_$_") for 1 .. $TABLES;
    return { rows => $rows, indexes => $TABLES * $COLUMNS, map { $_ => { seconds => median(@{ $seconds{$_} }), bytes => $bytes{$_} } } keys %seconds };
}

# The same rows, queries and batches with indexes of both kinds.
sub _used {
    my ($db, $opt, $control) = @_;
    my $rows = $opt->rows(1_000_000, 50_000);
    $control->set('xtree.naptime' => '100ms');
    return { rows => $rows, map { $_ => _measure($db, $control, $_, $rows) } qw(immediate deferred) };
}

sub _measure {
    my ($db, $control, $build, $rows) = @_;
    $db->seed(0.5);
    $db->do('CREATE TABLE ten (id int8, ' . _columns('c%d int4') . ')');
    $db->do('INSERT INTO ten SELECT i, ' . _columns('(random() * 1e6)::int4 + 0 * %d') . " FROM generate_series(1, $rows) i");
    $db->do('VACUUM ANALYZE ten');
    my %figure = (write_bare => _write($db, $rows));
    my $begin = time;
    $db->do("CREATE INDEX ten_$_ ON ten USING xtree (c$_) WITH (build = $build)") for 0 .. $COLUMNS - 1;
    $figure{create} = time - $begin;
    $figure{write_before} = _write($db, $rows);
    $figure{first} = _query($db, $_) for 0 .. $USED - 1;
    $begin = time;
    usleep(20_000) while $db->value("SELECT count(*) FROM pg_stat_xtree_indexes WHERE relname = 'ten' AND is_built") < ($build eq 'deferred' ? $USED : $COLUMNS);
    $figure{wait} = time - $begin;
    $figure{later} = median(map { _query($db, $_ % $USED) } 0 .. 4 * $USED - 1);
    $figure{write_after} = _write($db, $rows);
    $figure{built} = $db->value("SELECT count(*) FROM pg_stat_xtree_indexes WHERE relname = 'ten' AND is_built");
    $figure{builds} = $build eq 'immediate' ? $figure{create} : $db->value(<<'SQL');
SELECT sum(extract(epoch FROM e.time - b.time)) FROM pg_stat_xtree_events b
  JOIN LATERAL (SELECT time FROM pg_stat_xtree_events e WHERE e.indexrelid = b.indexrelid AND e.reason = 'built' AND e.number > b.number ORDER BY number LIMIT 1) e ON true
 WHERE b.reason = 'begun' AND b.relname = 'ten'
SQL
    $figure{disk} = $db->value("SELECT sum(pg_relation_size(indexrelid)) FROM pg_stat_xtree_indexes WHERE relname = 'ten'");
    $db->do('CHECKPOINT');
    $figure{cached} = 4096 * _sum(map { my $present = $control->residency($_); scalar grep { ord($_) & 1 } split //, $present } map { $control->files("ten_$_") } 0 .. $COLUMNS - 1);
    $db->do('DROP TABLE ten');
    return \%figure;
}

sub _sum { my $sum = 0; $sum += $_ for @_; return $sum }

# Seconds of a query that one index serves; its answer is compared with a sequential scan's.
sub _query {
    my ($db, $column) = @_;
    my $sql   = "SELECT count(*) || ' ' || coalesce(sum(id), 0) FROM ten WHERE c$column BETWEEN 1000 AND 1100";
    my $begin = time;
    my $rows  = $db->value($sql);
    my $time  = time - $begin;
    $db->do("SET enable_$_ = off") for qw(indexscan bitmapscan indexonlyscan);
    my $right = $db->value($sql);
    $db->do("RESET enable_$_") for qw(indexscan bitmapscan indexonlyscan);
    $db->differ("deferred, column $column: $rows by index, $right without") if $rows ne $right;
    return $time;
}

# Microseconds per row of batches that are rolled back.
sub _write {
    my ($db, $rows) = @_;
    my $batch = int($rows / 100);
    my @times;
    for (1 .. $BATCHES) {
        $db->do('BEGIN');
        my $begin = time;
        $db->do('INSERT INTO ten SELECT i, ' . _columns('(random() * 1e6)::int4 + 0 * %d') . " FROM generate_series(1, $batch) i");
        push @times, (time - $begin) * 1e6 / $batch;
        $db->do('ROLLBACK');
    }
    return median(@times);
}

sub _report {
    my ($creates, $used) = @_;
    table("$creates->{indexes} deferred indexes: CREATE INDEX", 1, [ 'tables', 'rows each', 'seconds', 'ms each', 'bytes each' ],
        map { my $f = $creates->{$_}; [ $_ eq 'bare' ? 'empty' : 'filled', $_ eq 'bare' ? 0 : $creates->{rows}, number($f->{seconds}), number(1000 * $f->{seconds} / $creates->{indexes}),
                $f->{bytes} / $creates->{indexes} ] } qw(bare filled));
    table("$USED of $COLUMNS indexes of a table with $used->{rows} rows are used", 1,
        [ 'build', 'built', 'CREATE s', 'all builds s', 'wait s', 'first query ms', 'later ms', 'disk MB', 'in page cache MB', 'insert us/row: none', 'created', 'used' ],
        map { my $f = $used->{$_}; [ $_, $f->{built}, number($f->{create}), number($f->{builds}), number($f->{wait}), number(1000 * $f->{first}), number(1000 * $f->{later}),
                megabytes($f->{disk}), megabytes($f->{cached}), number($f->{write_bare}), number($f->{write_before}), number($f->{write_after}) ] } qw(immediate deferred));
    return;
}

sub _targets {
    my ($creates, $used) = @_;
    my ($deferred, $immediate) = @$used{qw(deferred immediate)};
    my $share = sub { my ($f, $when) = @_; return $f->{$when} - $f->{write_bare} };
    return [
        Bench::Ratios::target('deferred: 1,000 CREATE INDEX on filled tables', 'on empty tables', $creates->{filled}{seconds}, $creates->{bare}{seconds}, 1.5),
        Bench::Ratios::target("deferred: $USED of $COLUMNS used, builds, seconds", 'immediate', $deferred->{builds}, $immediate->{builds}),
        Bench::Ratios::target("deferred: $USED of $COLUMNS used, disk", 'immediate', $deferred->{disk}, $immediate->{disk}, 0.7),
        Bench::Ratios::target("deferred: $USED of $COLUMNS used, page cache", 'immediate', $deferred->{cached}, $immediate->{cached}, 0.7),
        Bench::Ratios::target('deferred: writes before any is used, index share', 'immediate', $share->($deferred, 'write_before'), $share->($immediate, 'write_before'), 0.1),
        Bench::Ratios::target("deferred: writes when $USED are used, index share", 'immediate', $share->($deferred, 'write_after'), $share->($immediate, 'write_after'), 0.7),
    ];
}

1;
