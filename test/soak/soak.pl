#!/usr/bin/perl
# soak.pl MINUTES WORK CHECKOUT BINDIR: a mixed load for so long, on a primary with a standby (test/soak/run calls it).
#
# Two client processes: a writer (batches of points come, move and go), and a reader that compares every answer of an index with the sequential scan of
# the same snapshot, on the primary and on the standby (lib/Soak/Client.pm). Beside them, in turn: VACUUM, REINDEX CONCURRENTLY, an index built and dropped, one
# that is deferred and built because a query asks, evictions, checkpoints. Every ten minutes, or four times in a shorter run, a process is killed with
# SIGKILL: a backend, then the postmaster, and so on; then each index is compared with its table, each batch with what its writer was told, and the
# standby with the primary.
#
# Prints memory and file descriptors of the server's processes as they go (lib/Soak/Watch.pm), and percentiles of latencies at the end. Fails (status 1) if an
# answer is wrong, a committed batch is not whole, an index is not valid, a process's memory or file descriptors grow, or the table of used
# indexes does.
# Seen to fail: with rows of a batch taken from the table past its writer; with writers that do not raise the slots of the pages that they change (the rule
# "publish" of src/README.md: the reader finds stale answers); with a reader that prepares each of its statements and forgets it.
use strict;
use warnings;

use Soak::Client;
use Soak::Watch;
use Time::HiRes qw(time sleep);

$| = 1;
my ($minutes, $work, $root, $bindir) = @ARGV;
my %dsn      = map { $_ => "dbi:Pg:host=$work/$_;port=5432;dbname=postgres;user=postgres" } qw(primary standby);
my $end      = time + $minutes * 60;
my $interval = $minutes >= 40 ? 600 : $minutes * 60 / 5;    # between kills
my @problems;

sub problem { my ($text) = @_; push @problems, $text; print "WRONG: $text\n"; return; }

sub server {
    my ($what, $name, @settings) = @_;
    local $ENV{PG_BINDIR} = $bindir;
    return system("$root/scripts/private-server", $what, "$work/$name", @settings) == 0;
}

my @SETTINGS = qw(shared_preload_libraries=xtree xtree.naptime=200ms xtree.map_after=0 xtree.memory_budget=24MB autovacuum=off max_wal_size=256MB
    wal_keep_size=1GB max_standby_streaming_delay=-1 hot_standby_feedback=on restart_after_crash=on shared_buffers=32MB statement_timeout=300s);

sub as_server { my (@command) = @_; return system($> == 0 ? (qw(runuser -u postgres --), @command) : @command) == 0; }

sub start_servers {
    server('start', 'primary', @SETTINGS) or die "no primary\n";
    my $db = Soak::Client::connection($dsn{primary});
    $db->do('CREATE EXTENSION xtree');
    $db->do('CREATE TABLE t (batch int, id int, p point, k int, note text)');
    $db->do('CREATE TABLE ledger (batch int PRIMARY KEY, rows int)');
    $db->do('CREATE INDEX t_p ON t USING xtree (p)');
    $db->do('CREATE INDEX t_pk ON t USING xtree (p, k) INCLUDE (note)');
    $db->do('CREATE INDEX t_batch ON t (batch)');
    Soak::Client::fill($db, 1500);
    $db->do('VACUUM (ANALYZE) t');
    $db->disconnect;
    as_server('mkdir', '-m', '700', "$work/standby") or die;
    as_server("$bindir/pg_basebackup", '-h', "$work/primary", '-U', 'postgres', '-D', "$work/standby/data", '-R', '-c', 'fast') or die "no base backup\n";
    as_server('sh', '-c', "echo '$bindir' >$work/standby/bindir") or die;
    server('start', 'standby', @SETTINGS) or die "no standby\n";
    return;
}

# Each turn is a statement or a few; those that take longer hold up neither readers nor, mostly, writers.
my @TURNS = (
    [ 'VACUUM'               => sub { $_[0]->do('VACUUM t') } ],
    [ 'unload'               => sub { $_[0]->do(q{SELECT xtree_unload(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname IN ('t_p', 't_pk')}) } ],
    [ 'REINDEX CONCURRENTLY' => sub { $_[0]->do('REINDEX INDEX CONCURRENTLY t_p') } ],
    [ 'CHECKPOINT'           => sub { $_[0]->do('CHECKPOINT') } ],
    [ 'CREATE INDEX'         => sub { $_[0]->do($_) for 'CREATE INDEX CONCURRENTLY t_new ON t USING xtree (k, p)', q{SELECT xtree_check('t_new', true)}, 'DROP INDEX t_new' } ],
    [ 'VACUUM'               => sub { $_[0]->do('VACUUM t') } ],
    [ 'deferred build'       => \&build_deferred ],
    [ 'unload'               => sub { $_[0]->do(q{SELECT xtree_unload('t_pk')}) } ],
);

sub build_deferred {
    my ($db) = @_;
    $db->do('CREATE INDEX t_later ON t USING xtree (id, k) WITH (build = deferred)');
    for (1 .. 300) {
        $db->do('SELECT count(*) FROM t WHERE id = 5 AND k < 3');
        last if $db->selectrow_array(q{SELECT is_built AND state <> 'building' FROM pg_stat_xtree_indexes WHERE indexrelname = 't_later'});
        sleep 0.1;
    }
    $db->do(q{SELECT xtree_check('t_later', true)});
    $db->do('DROP INDEX t_later');
    return;
}

# What a crash left of a turn that it ended.
sub sweep {
    my ($db) = @_;
    $db->do("DROP INDEX IF EXISTS $_->[0]")
        for @{ $db->selectall_arrayref(q{SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = 't'::regclass AND (NOT i.indisvalid OR c.relname IN ('t_new', 't_later'))}) };
    return;
}

# Kills, and waits until the server is there again. Returns what it killed.
sub kill_one {
    my ($kills) = @_;
    my $postmaster = Soak::Watch::postmaster("$work/primary");
    if ($kills % 2 == 0) {
        my @backends = Soak::Watch::clients($postmaster);
        kill 'KILL', $backends[ rand @backends ] if @backends;
        sleep 1;
        return 'a backend';
    }
    my @children = Soak::Watch::children($postmaster);
    kill 'KILL', $postmaster;
    for (1 .. 600) { last if !grep { -d "/proc/$_" } @children; sleep 0.1; }
    server('start', 'primary', @SETTINGS) or die "the primary does not come back\n";
    return 'the postmaster';
}

# Indexes against the table, batches against what the writer was told, the standby against the primary.
sub verify {
    my ($when) = @_;
    my $db = Soak::Client::connection($dsn{primary});
    sweep($db);
    my $valid = sub { my ($server, $where) = @_;
        for my $index (qw(t_p t_pk)) { eval { $server->do("SELECT xtree_check('$index', true)"); 1 } or problem("$when: $where, $index: $@"); } };
    $db->begin_work;
    $db->do('LOCK TABLE t IN SHARE MODE');
    $valid->($db, 'primary');
    my ($torn) = $db->selectrow_array('SELECT count(*) FROM ledger l FULL JOIN (SELECT batch, count(*) AS rows FROM t GROUP BY batch) b USING (batch)
        WHERE coalesce(l.rows, 0) <> coalesce(b.rows, 0)');
    problem("$when: $torn batches are not whole") if $torn;
    my $told = Soak::Client::told($work);
    my ($last) = $db->selectrow_array('SELECT coalesce(max(batch), 0) FROM ledger');
    problem("$when: batch $told was committed, $last is the last that is there") if $last < $told;
    my ($lsn) = $db->selectrow_array('SELECT pg_current_wal_insert_lsn()');
    my $standby = Soak::Client::connection($dsn{standby});
    my $reached = 0;
    for (1 .. 1200) {
        ($reached) = $standby->selectrow_array("SELECT pg_last_wal_replay_lsn() >= '$lsn'::pg_lsn");
        last if $reached;
        $db->do('SELECT pg_switch_wal()') if $_ == 100;    # what was inserted and not yet flushed
        sleep 0.1;
    }
    problem("$when: the standby does not catch up") if !$reached;
    my $digest = 'SELECT count(*), sum(hashtext(batch || p::text || k)::int8) FROM t';
    my ($ours, $theirs) = map { join ' ', $_->selectrow_array($digest) } $db, $standby;
    problem("$when: primary $ours, standby $theirs") if $ours ne $theirs;
    $valid->($standby, 'standby');
    $db->rollback;
    $_->disconnect for $db, $standby;
    return;
}

sub main {
    start_servers();
    my @clients = map { Soak::Client::start($_, \%dsn, $work, $end) } qw(writer reader);
    my $watch = Soak::Watch->new($work);
    my ($kills, $turn, $next_kill, $next_look) = (0, 0, time + $interval, 0);
    my $db = Soak::Client::connection($dsn{primary});
    print "minutes  ", Soak::Watch::heading(), "\n";
    while (time < $end) {
        if (time >= $next_look) {
            printf "%7.1f  %s\n", $minutes - ($end - time) / 60, $watch->look($db);
            $next_look = time + $interval / 12;
        }
        if (time >= $next_kill && $end - time > 10) {
            my $what = kill_one($kills++);
            printf "killed %s\n", $what;
            verify("after kill $kills ($what)");
            $db        = Soak::Client::connection($dsn{primary});
            $next_kill = time + $interval;
            next;
        }
        my ($name, $do) = @{ $TURNS[ $turn++ % @TURNS ] };
        my $start = time;
        eval { sweep($db); $do->($db); Soak::Client::note($work, 'maintenance', $name, time - $start); 1 }
            or problem("$name: $@") if $db->ping || ($db = Soak::Client::connection($dsn{primary}));
        sleep 2;
    }
    $db->disconnect;
    for my $pid (@clients) { waitpid $pid, 0; problem("a client ended with status $?") if $?; }
    verify('at the end');
    my ($used) = Soak::Client::connection($dsn{primary})->selectrow_array('SELECT registered FROM pg_stat_xtree_memory');
    problem("$used indexes are in the table of used ones") if $used > 8;
    my @wrong = Soak::Client::wrong($work);
    problem($_) for $watch->growth, @wrong[ 0 .. ($#wrong > 9 ? 9 : $#wrong) ];
    problem(@wrong - 10 . ' more like these') if @wrong > 10;
    Soak::Client::report($work);
    printf "%d kills, %d turns of maintenance, %d problems\n", $kills, $turn, scalar @problems;
    return @problems ? 1 : 0;
}

exit main();
