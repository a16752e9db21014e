# What many indexes cost: 10, 50, 100 and 1,000 small tables with an xtree index each, and as many with gist.  Memory of
# a session before and after it uses them, shared memory, the first and the second use, inserts, and the view.
# With scaling-long 10,000 indexes of xtree, and how far that is from the limits of the operating system.
package Bench::Scaling;
use strict;
use warnings;
use JSON::PP ();
use Bench::Ratios;
use Bench::ScalingReport;
use Bench::Stats qw(median midmean);

my %METHOD    = (sx => 'xtree', sg => 'gist');
my @KINDS     = qw(sx sg);
my @STAGES    = (10, 50, 100, 1000);
my $LONG      = 10_000;
my $ROWS      = 500;     # of a table
my $EXPLAINED = 200;     # uses per session that are looked into
my $RESCANS   = 20_000;

sub run {
    my ($db, $opt, $control) = @_;
    _procedures($db);
    _create($db, $_, 0, 0) for @KINDS;    # table 0: what a session needs for its first use of any index
    my (@stages, $before);
    for my $count (@STAGES) {
        push @stages, _stage($db, $opt, $control, $before // 0, $count);
        $before = $count;
    }
    my $rescans = _rescans($db, $opt);
    _drop($db, $_, 0, $STAGES[-1]) for @KINDS;
    Bench::ScalingReport::stages(\@stages, $rescans);
    Bench::ScalingReport::million($stages[-1]);
    return { figures => { stages => \@stages, rescans => $rescans }, targets => [ map({ _targets($_) } @stages),
        Bench::Ratios::target('scaling: from rescan to last tuple, us', 'gist', @$rescans{@KINDS}, 0.7) ] };
}

sub _targets {
    my ($s) = @_;
    my $n = $s->{count};
    my %bytes = map { $_ => $s->{session}{$_}{private} + $s->{session}{$_}{page_tables} } @KINDS;
    return (
        Bench::Ratios::target("scaling $n: first use in a session, us", 'gist', @{ $s->{us}{first} }{@KINDS}, 1.2),
        Bench::Ratios::target("scaling $n: second use, us", 'gist', @{ $s->{us}{second} }{@KINDS}, 1.0),
        Bench::Ratios::target("scaling $n: index node at first use, us", 'gist', @{ $s->{node}{first} }{@KINDS}),
        Bench::Ratios::target("scaling $n: index node at second use, us", 'gist', @{ $s->{node}{second} }{@KINDS}, 0.7),
        Bench::Ratios::target("scaling $n: private kB per used index beyond gist's", '4 kB', ($bytes{sx} - $bytes{sg}) / 1024, 4, 1),
        Bench::Ratios::target("scaling $n: pg_stat_xtree_indexes, ms", '100 ms', $s->{view_ms}, 100, 1),
        Bench::Ratios::target("scaling $n: entries in shared memory that creating indexes made", 'allowed: 0', $s->{entries_made}, 1, 0),
    );
}

# Procedures that commit now and then, so that the locks of 10,000 tables need not fit into the lock table.
sub _procedures {
    my ($db) = @_;
    $db->do(<<"SQL");
CREATE OR REPLACE PROCEDURE scaling_tables(kind text, first int, last int) LANGUAGE plpgsql AS \$\$
BEGIN
    FOR i IN first .. last LOOP
        EXECUTE format('CREATE TABLE %s_%s AS SELECT j AS id, point((j * 0.61803398 + %s) %% 1.0, (j * 0.7548776) %% 1.0) AS p
                        FROM generate_series(1, $ROWS) j', kind, i, i);
        IF i % 50 = 0 THEN COMMIT; END IF;
    END LOOP;
END \$\$;
CREATE OR REPLACE PROCEDURE scaling_indexes(kind text, method text, first int, last int) LANGUAGE plpgsql AS \$\$
BEGIN
    FOR i IN first .. last LOOP
        EXECUTE format('CREATE INDEX %1\$s_%2\$s_i ON %1\$s_%2\$s USING %3\$s (p)', kind, i, method);
        EXECUTE format('ANALYZE %s_%s', kind, i);
        IF i % 50 = 0 THEN COMMIT; END IF;
    END LOOP;
END \$\$;
CREATE OR REPLACE PROCEDURE scaling_drop(kind text, first int, last int) LANGUAGE plpgsql AS \$\$
BEGIN
    FOR i IN first .. last LOOP
        EXECUTE format('DROP TABLE %s_%s', kind, i);
        IF i % 50 = 0 THEN COMMIT; END IF;
    END LOOP;
END \$\$;
CREATE OR REPLACE PROCEDURE scaling_use(kind text, first int, last int, INOUT us float8, INOUT total int8) LANGUAGE plpgsql AS \$\$
DECLARE
    hits int8;
    start float8;
BEGIN
    total := 0;
    start := bench_clock();
    FOR i IN first .. last LOOP
        EXECUTE format('SELECT count(id) FROM %s_%s WHERE p <@ box ''(0.4,0.4),(0.45,0.45)''', kind, i) INTO hits;
        total := total + hits;
        IF i % 100 = 0 THEN COMMIT; END IF;
    END LOOP;
    us := bench_clock() - start;
END \$\$;
CREATE OR REPLACE PROCEDURE scaling_insert(kind text, last int, rows int, INOUT us float8) LANGUAGE plpgsql AS \$\$
DECLARE
    start float8 := bench_clock();
BEGIN
    FOR j IN 1 .. rows LOOP
        EXECUTE format('INSERT INTO %s_%s VALUES (%s, point(%s, %s))', kind, 1 + j % last, j,
            (j * 0.6180339887) % 1.0, (j * 0.7548776662) % 1.0);
        IF j % 100 = 0 THEN COMMIT; END IF;
    END LOOP;
    us := bench_clock() - start;
END \$\$;
SQL
    return;
}

sub _create {
    my ($db, $kind, $first, $last) = @_;
    $db->do("CALL scaling_tables('$kind', $first, $last)");
    my $catalogs = _catalog_bytes($db);
    $db->do("CALL scaling_indexes('$kind', '$METHOD{$kind}', $first, $last)");
    return _catalog_bytes($db) - $catalogs;
}

sub _drop { my ($db, $kind, $first, $last) = @_; $db->do("CALL scaling_drop('$kind', $first, $last)"); return }

sub _catalog_bytes {
    my ($db) = @_;
    return $db->value(q{SELECT sum(pg_table_size(oid) + pg_indexes_size(oid)) FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'});
}

sub _stage {
    my ($db, $opt, $control, $before, $count) = @_;
    my $stage   = { count => $count, made => $count - $before };
    my $idle    = _fresh($db, $control);
    my $entries = _entries($db);
    $stage->{catalog}{$_} = _create($db, $_, $before + 1, $count) for @KINDS;
    $stage->{entries_made} = _entries($db) - $entries;
    $stage->{fresh} = { before => $idle, after => _fresh($db, $control) };
    _ever($db, $stage, $before + 1, $count);
    _await_loaded($db, $count);
    $stage->{fresh}{loaded} = _fresh($db, $control);
    $stage->{memory} = $db->hash(q{SELECT (SELECT sum(allocated_size) FROM pg_shmem_allocations WHERE name ILIKE '%xtree%') AS fixed,
        loaded, registered FROM pg_stat_xtree_memory});
    _uses($db, $opt, $control, $stage);
    _nodes($db, $opt, $stage);
    _inserts($db, $opt, $stage);
    $stage->{view_ms} = _view($db);
    $stage->{file_bytes} = $db->value("SELECT sum(size) FROM pg_stat_xtree_indexes WHERE relname LIKE 'sx%'") / ($count + 1);
    _compare($db, $stage);
    $db->do('CHECKPOINT');    # pages that were written are read through mappings again
    return $stage;
}

# Of the index table in shared memory.
sub _entries { my ($db) = @_; return $db->value('SELECT count(*) FROM xtree_stat_indexes()') }

sub _ready {
    my ($db, $kind_of_scan) = @_;
    $db->do("SET $_ = off") for qw(enable_seqscan enable_bitmapscan enable_indexonlyscan enable_indexscan);
    $db->do('SET enable_' . ($kind_of_scan // 'indexscan') . ' = on');
    return $db;
}

sub _use {
    my ($db, $kind, $first, $last) = @_;
    return $db->row("CALL scaling_use('$kind', $first, $last, 0, 0)");
}

# A session that has used an index of both kinds once; and its private bytes.
sub _session { my ($db) = @_; my $session = _ready($db->session); _use($session, $_, 0, 0) for @KINDS, @KINDS; return $session }

sub _fresh {
    my ($db, $control) = @_;
    my $session = _session($db);
    my $bytes = $control->memory_of($session->value('SELECT pg_backend_pid()'))->{private};
    $session->disconnect;
    return $bytes;
}

# The first use since the indexes were made: xtree is not admitted yet and answers from shared buffers.
sub _ever {
    my ($db, $stage, $first, $last) = @_;
    for my $kind (@KINDS) {
        my $session = _session($db);
        my ($us, $total) = _use($session, $kind, $first, $last);
        $stage->{us}{ever}{$kind} = $us / ($last - $first + 1);
        $session->disconnect;
    }
    return;
}

sub _await_loaded {
    my ($db, $count) = @_;
    for (1 .. 1200) {
        return if $db->value(q{SELECT count(*) FROM pg_stat_xtree_indexes WHERE state = 'loaded' AND relname LIKE 'sx%'}) > $count;
        select undef, undef, undef, 0.05;
    }
    die "scaling: the indexes were not loaded\n";
}

# Fresh sessions of both kinds in turn: time of the first and the second use of every index, and what the session has grown by.
sub _uses {
    my ($db, $opt, $control, $stage) = @_;
    my $count    = $stage->{count};
    my $sessions = $opt->{rounds} * ($count < 100 ? int(100 / $count) : 1);
    my (%us, %grown, %total);
    for my $round (1 .. $sessions) {
        for my $kind ($round % 2 ? @KINDS : reverse @KINDS) {
            my $session = _session($db);
            my $pid  = $session->value('SELECT pg_backend_pid()');
            my @size = _sizes($session, $control, $pid);
            my $dynamic = $control->dynamic_shared_memory($pid);
            for my $pass (qw(first second)) {
                (my $us, $total{$kind}) = _use($session, $kind, 1, $count);
                push @{ $us{$pass}{$kind} }, $us / $count;
                next if $pass eq 'second';
                my @after = _sizes($session, $control, $pid);
                push @{ $grown{$kind}[$_] }, ($after[$_] - $size[$_]) / $count for 0 .. $#size;
            }
            $stage->{mapped} = $session->value('SELECT mapped_bytes FROM pg_stat_xtree_memory') if $kind eq 'sx';
            $stage->{dynamic} = [ $dynamic, $control->dynamic_shared_memory($pid) ] if $kind eq 'sx';
            $session->disconnect;
        }
    }
    $db->differ("scaling $count: xtree finds $total{sx} rows, gist $total{sg}") if $total{sx} != $total{sg};
    $stage->{total} = $total{sx};
    for my $kind (@KINDS) {
        $stage->{us}{$_}{$kind} = median(@{ $us{$_}{$kind} }) for qw(first second);
        my @median = map { median(@$_) } @{ $grown{$kind} };
        $stage->{session}{$kind} = { private => $median[0], page_tables => $median[1], contexts => $median[2], registry => $median[3] };
    }
    return;
}

sub _sizes {
    my ($session, $control, $pid) = @_;
    my @contexts = $session->row(q{SELECT sum(total_bytes), coalesce(sum(total_bytes) FILTER (WHERE name LIKE 'xtree%'), 0) FROM pg_backend_memory_contexts});
    my $memory = $control->memory_of($pid);
    return (@$memory{qw(private page_tables)}, @contexts);
}

# Time inside of the index node by EXPLAIN ANALYZE, for a window without rows: begin of the scan to its end, no heap.
sub _nodes {
    my ($db, $opt, $stage) = @_;
    my $most = $stage->{count} < $EXPLAINED ? $stage->{count} : $EXPLAINED;
    my $sessions = $opt->{rounds} * int($EXPLAINED / $most);
    my %us;
    for (1 .. $sessions) {
        my $session = _session($db);
        for my $pass (qw(first second)) {
            for my $i (1 .. $most) { push @{ $us{$pass}{$_} }, _node_us($session, "${_}_$i") for $i % 2 ? @KINDS : reverse @KINDS }
        }
        $session->disconnect;
    }
    for my $pass (keys %us) { $stage->{node}{$pass}{$_} = midmean(@{ $us{$pass}{$_} }) for @KINDS }
    return;
}

sub _node_us {
    my ($session, $table) = @_;
    my $text = $session->value("EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM $table WHERE p <@ box '(0.40001,0.40001),(0.40002,0.40002)'");
    my $plan = JSON::PP::decode_json($text)->[0]{Plan};
    die "scaling: not an index scan: $text\n" if $plan->{'Node Type'} ne 'Index Scan';
    return 1000 * $plan->{'Actual Total Time'};
}

# From rescan to the last tuple: an inner index scan of a nested loop that is begun once, less the loop without it.
sub _rescans {
    my ($db, $opt) = @_;
    my $session = _session($db);
    $session->do("CREATE TEMP TABLE windows AS SELECT box(c, c) AS w FROM generate_series(1, $RESCANS) g,
                  LATERAL (SELECT point((g * 0.6180339887) % 1.0, (g * 0.7548776662) % 1.0) AS c OFFSET 0) corner");
    $session->do('SET enable_seqscan = on');    # for the windows; the inner plan stays an index scan
    $session->do('ANALYZE windows');
    my $sql   = sub { "SELECT count(*) FROM windows CROSS JOIN LATERAL ($_[0] OFFSET 0) s" };
    my %inner = (none => 'SELECT 1 WHERE w IS NULL', map { $_ => "SELECT 1 FROM ${_}_0 WHERE p <@ w" } @KINDS);
    for my $kind (@KINDS) {
        my $plan = join "\n", $session->column('EXPLAIN ' . $sql->($inner{$kind}));
        die "scaling: not an index scan:\n$plan\n" unless $plan =~ /Index Scan using ${kind}_0_i/;
    }
    my (%us, %found);
    for my $round (0 .. $opt->{rounds}) {
        for my $kind (sort keys %inner) {
            my $start = $session->value('SELECT bench_clock()');
            $found{$kind} = $session->value($sql->($inner{$kind}));
            push @{ $us{$kind} }, ($session->value('SELECT bench_clock()') - $start) / $RESCANS if $round;
        }
    }
    $db->differ("scaling: nested loops find $found{sx} rows by xtree, $found{sg} by gist") if $found{sx} != $found{sg};
    $session->disconnect;
    my %median = map { $_ => median(@{ $us{$_} }) } keys %us;
    return { map { $_ => $median{$_} - $median{none} } @KINDS };
}

sub _inserts {
    my ($db, $opt, $stage) = @_;
    my $rows = $opt->rows(4000, 500);
    my %us;
    for my $round (1 .. $opt->{rounds}) {
        for my $kind ($round % 2 ? @KINDS : reverse @KINDS) {
            push @{ $us{$kind} }, $db->value("CALL scaling_insert('$kind', $stage->{count}, $rows, 0)") / $rows;
        }
    }
    $stage->{inserts}{$_} = 1e6 / median(@{ $us{$_} }) for @KINDS;
    return;
}

sub _view {
    my ($db) = @_;
    my @ms;
    for (1 .. 5) {
        my $start = $db->value('SELECT bench_clock()');
        $db->do('CREATE TEMP TABLE seen AS SELECT * FROM pg_stat_xtree_indexes');
        push @ms, ($db->value('SELECT bench_clock()') - $start) / 1000;
        $db->do('DROP TABLE seen');
    }
    return median(@ms);
}

# All tables of both kinds, by their indexes and by sequential scans: they got different rows since.
sub _compare {
    my ($db, $stage) = @_;
    for my $kind (@KINDS) {
        my ($us, $found) = _use(_ready($db), $kind, 1, $stage->{count});
        my ($seq_us, $expected) = _use(_ready($db, 'seqscan'), $kind, 1, $stage->{count});
        $db->differ("scaling $stage->{count}: $found rows by $METHOD{$kind}, $expected by sequential scans") if $found != $expected;
    }
    return;
}

sub run_long {
    my ($db, $opt, $control) = @_;
    _procedures($db);
    _create($db, $_, 0, 0) for @KINDS;
    my $fresh = _fresh($db, $control);
    my $figure = { count => $LONG, catalog => _create($db, 'sx', 1, $LONG) };
    $figure->{fresh} = _fresh($db, $control) - $fresh;
    my $session = _session($db);
    my $pid = $session->value('SELECT pg_backend_pid()');
    _use($session, 'sx', 1, $LONG);
    _await_loaded($db, $LONG);
    $session->disconnect;
    $session = _session($db);
    $pid = $session->value('SELECT pg_backend_pid()');
    my @size = _sizes($session, $control, $pid);
    ($figure->{us}{first}) = _use($session, 'sx', 1, $LONG);
    my @after = _sizes($session, $control, $pid);
    ($figure->{us}{second}, $figure->{found}) = _use($session, 'sx', 1, $LONG);
    @$figure{qw(private page_tables contexts registry)} = map { ($after[$_] - $size[$_]) / $LONG } 0 .. 3;
    _limits($db, $control, $figure, $pid);
    $session->disconnect;
    $figure->{view_ms} = _view($db);
    my ($seq_us, $expected) = _use(_ready($db, 'seqscan'), 'sx', 1, $LONG);
    $db->differ("scaling $LONG: $figure->{found} rows by xtree, $expected by sequential scans") if $figure->{found} != $expected;
    _drop($db, 'sx', 0, $LONG);
    _drop($db, 'sg', 0, 0);
    Bench::ScalingReport::long($figure);
    return { figures => $figure, targets => [] };
}

# The limits of the operating system and of the server that many mapped files could meet, and what is used of them.
sub _limits {
    my ($db, $control, $figure, $pid) = @_;
    my $worker = $db->hash('SELECT pid, cycle_time FROM pg_stat_xtree_worker');
    my $maps   = do { open my $in, '<', '/proc/sys/vm/max_map_count' or die "vm.max_map_count: $!\n"; <$in> + 0 };
    my %of     = (session => $pid, worker => $worker->{pid});
    $figure->{limits} = [ map { (
        [ $_, 'mappings',   $control->count_of_maps($of{$_}),  'vm.max_map_count', $maps ],
        [ $_, 'open files', $control->count_of_files($of{$_}), 'max_files_per_process', $db->value('SHOW max_files_per_process') ] ) } qw(session worker) ];
    $figure->{cycle_ms} = $worker->{cycle_time};
    @$figure{qw(loaded failed)} = $db->row(q{SELECT count(*) FILTER (WHERE state = 'loaded'), count(*) FILTER (WHERE last_error IS NOT NULL) FROM pg_stat_xtree_indexes});
    return;
}

1;
