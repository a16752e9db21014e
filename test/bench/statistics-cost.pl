#!/usr/bin/perl
# Counts, with valgrind's callgrind, the instructions of the hottest query class (a window of about one row, read through
# the mapping) and the share of those that maintain statistics.  Starts and removes a server of its own.
#   scripts/with-server -- perl -I test/bench/lib test/bench/statistics-cost.pl
# Needs initdb and postgres with xtree in PATH or by PG_CONFIG, valgrind, and xtree built with -g (PGXS does).  Without
# valgrind it says SKIPPED and succeeds.  Exits with 1 when the share is above the limit.
use strict;
use warnings;
use Cwd qw(abs_path);
use DBI;
use File::Basename qw(dirname);
use File::Temp ();
use Bench::Callgrind;

my ($ROWS, $QUERIES, $WARM, $MOST) = (200_000, 2000, 20, 0.02);
my $SOURCE = abs_path(dirname(__FILE__) . '/../../src');
my ($dir, $as, $bin, $valgrind) = ('', '');

sub run_as {
    my ($command) = @_;
    system(qq(cd / && $as sh -c '$command')) == 0 or die "failed: $command\n";
    return;
}

sub connect_to {
    my ($seconds) = @_;
    for (1 .. 5 * $seconds) {
        my $dbh = DBI->connect("dbi:Pg:dbname=postgres;host=$dir;port=5432", 'postgres', '',
            { RaiseError => 0, PrintError => 0, AutoCommit => 1, pg_server_prepare => 0 });
        if ($dbh) { $dbh->{RaiseError} = 1; $dbh->{pg_placeholder_dollaronly} = 1; return $dbh }
        select undef, undef, undef, 0.2;
    }
    die "the server does not answer: $DBI::errstr\n", `tail -n 20 "$dir/log"`;
}

sub make_server {
    $dir = File::Temp->newdir('xtree-instructions-XXXXXX', TMPDIR => 1);
    if ($> == 0) {
        $as = 'runuser -u postgres --';
        chown +(getpwnam 'postgres')[ 2, 3 ], "$dir";
    }
    run_as(qq("$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync --locale=C -E UTF8 >"$dir/initdb.log"));
    open my $conf, '>>', "$dir/data/postgresql.conf" or die "postgresql.conf: $!\n";
    print {$conf} "shared_preload_libraries = xtree\nlisten_addresses = ''\nunix_socket_directories = '$dir'\nautovacuum = off\nfsync = off\n",
        "jit = off\nshared_buffers = 64MB\nenable_seqscan = off\nenable_bitmapscan = off\nenable_indexonlyscan = off\nplan_cache_mode = force_generic_plan\n";
    close $conf or die "postgresql.conf: $!\n";
    return;
}

sub fill {
    run_as(qq("$bin/pg_ctl" -D "$dir/data" -w -s -l "$dir/log" start));
    my $dbh = connect_to(10);
    $dbh->do($_) for 'CREATE EXTENSION xtree', 'SELECT setseed(0.5)',
        "CREATE TABLE points AS SELECT i AS id, point(random(), random()) AS p FROM generate_series(1, $ROWS) i",
        'CREATE INDEX points_xtree ON points USING xtree (p)', 'VACUUM (ANALYZE) points', <<"SQL";
CREATE FUNCTION windows(queries int) RETURNS int8 LANGUAGE plpgsql AS \$\$
DECLARE
    side float8 := sqrt(1.0 / $ROWS);
    x float8;
    y float8;
    hits int8;
    total int8 := 0;
BEGIN
    FOR i IN 1 .. queries LOOP
        x := (i * 0.6180339887498949) % 1.0;
        y := (i * 0.7548776662466927) % 1.0;
        SELECT count(id) INTO hits FROM points WHERE p <@ box(point(x, y), point(x + side, y + side));
        total := total + hits;
    END LOOP;
    RETURN total;
END \$\$
SQL
    my $expected;
    { $dbh->do("SET $_") for 'enable_seqscan = on', 'enable_indexscan = off'; ($expected) = $dbh->selectrow_array("SELECT windows($WARM)") }
    $dbh->disconnect;
    run_as(qq("$bin/pg_ctl" -D "$dir/data" -w -s -m fast stop));
    return $expected;
}

# The server under callgrind, which counts while a PL/pgSQL function runs.
sub start_counting_server {
    my $command = qq(exec "$valgrind" --tool=callgrind --trace-children=yes --vgdb=no --collect-atstart=no --toggle-collect=plpgsql_exec_function --compress-strings=no --compress-pos=no )
        . qq(--callgrind-out-file="$dir/counts.%p" --log-file="$dir/valgrind.%p" "$bin/postgres" -D "$dir/data" >"$dir/log" 2>&1);
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    exec "cd / && exec $as sh -c '$command'" or die "exec: $!\n";
}

# Runs the queries; a few before them, by plain SQL, load what a session keeps, and are compared with sequential scans.
sub count {
    my ($expected) = @_;
    my $dbh   = connect_to(300);
    my ($pid) = $dbh->selectrow_array('SELECT pg_backend_pid()');
    my ($mapped) = $dbh->selectrow_array(q{SELECT xtree_load('points_xtree')});
    die "the index cannot be mapped\n" unless $mapped;
    my ($rows) = $dbh->selectrow_array("SELECT sum(hits) FROM generate_series(1, $WARM) i,
        LATERAL (SELECT (i * 0.6180339887498949) % 1.0 AS x, (i * 0.7548776662466927) % 1.0 AS y, sqrt(1.0 / $ROWS) AS side) q,
        LATERAL (SELECT count(id) AS hits FROM points WHERE p <@ box(point(x, y), point(x + side, y + side))) w");
    die "wrong answers: $rows rows instead of $expected\n" if $rows != $expected;
    my $reads = q{SELECT mapped_reads, buffer_reads FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'};
    my @before = $dbh->selectrow_array($reads);
    ($rows) = $dbh->selectrow_array("SELECT windows($QUERIES)");
    my @after = $dbh->selectrow_array($reads);
    $dbh->disconnect;
    die "not read through the mapping\n" if $after[1] != $before[1] || $after[0] == $before[0];
    select undef, undef, undef, 0.5 until -s "$dir/counts.$pid";
    return ("$dir/counts.$pid", $rows / $QUERIES, ($after[0] - $before[0]) / $QUERIES);
}

sub main {
    ($valgrind) = grep { -x } map { "$_/valgrind" } split /:/, $ENV{PATH};
    unless ($valgrind) { print "cost of statistics: SKIPPED, valgrind is not installed\n"; return 0 }
    ($bin) = grep { -x "$_/initdb" } split /:/, $ENV{PATH};
    chomp($bin = `\${PG_CONFIG:-pg_config} --bindir`) unless $bin;
    make_server();
    my $expected = fill();
    my $server   = start_counting_server();
    my @counted  = eval { count($expected) };
    my $error    = $@;
    eval { run_as(qq("$bin/pg_ctl" -D "$dir/data" -w -s -m immediate stop)) };
    waitpid $server, 0;
    die $error, map({ `tail -n 15 "$_"` } "$dir/log"), map({ m/.*\.(\d+)$/; `tail -n 30 "$_"` } glob "$dir/valgrind.*") if $error;
    my ($file, $rows, $pages) = @counted;
    my $cost  = Bench::Callgrind::statistics($file, $SOURCE);
    my $share = $cost->{statistics} / $cost->{total};
    printf "%d instructions a query (%.2f rows, %.2f mapped pages); statistics:\n", $cost->{total} / $QUERIES, $rows, $pages;
    printf "  %-40s %8.1f  %5.2f %%\n", $_, $cost->{part}{$_} / $QUERIES, 100 * $cost->{part}{$_} / $cost->{total}
        for sort { $cost->{part}{$b} <=> $cost->{part}{$a} } keys %{ $cost->{part} };
    printf "  %-40s %8.1f  %5.2f %%, at most %.0f %%: %s\n", 'all', $cost->{statistics} / $QUERIES, 100 * $share, 100 * $MOST, $share < $MOST ? 'reached' : 'missed';
    return $share < $MOST ? 0 : 1;
}

$SIG{INT} = $SIG{TERM} = sub { die "interrupted\n" };
exit main();
