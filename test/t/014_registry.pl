# The registry of mapped indexes: whatever ends a scan, or takes a file away, leaves nothing behind and disturbs no answer.
#  - files that REINDEX, TRUNCATE, VACUUM FULL, SET TABLESPACE and DROP replace are let go of by idle sessions
#  - files that cannot be mapped (address space, descriptors, no file) are read through buffers, and mapped when they can be
#  - errors, cancels, ends of sessions in the middle of scans, cursors of all kinds, savepoints, subtransactions, parallel workers
#  - many sessions that load and drop at once, a crash while an index is mapped, thousands of indexes in a session (1,000, with
#    XTREE_STRESS_SECONDS 3,000), 200 sessions
#  - damaged pages with checksums: an ERROR or the right answer
# Seen to fail: without waking other sessions when a session finds a file replaced (they keep the old one, deleted, as long as they idle);
# with the beginning of the statement as the only time of an access (a long one has its indexes evicted as idle, again and again); without
# forgetting dropped indexes in the registry; with parallel workers that have an index loaded which their leader's transaction made.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('registry');
# Has another name from PostgreSQL 16 on.
my $forced_parallel = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
$node->init(extra => ['-k']);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
wal_level = replica
autovacuum = off
fsync = off
max_connections = 230
max_locks_per_transaction = 256
max_prepared_transactions = 5
shared_buffers = '64MB'
checkpoint_timeout = '1h'
restart_after_crash = on
statement_timeout = '120s'
xtree.naptime = '1h'
xtree.map_after = 0
xtree.idle_timeout = 0
CONF
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]); }
sql('CREATE EXTENSION xtree');
need_stop_points($node);

# Sessions for questions and answers; what they say on standard error is kept.
my @open;
sub open_session
{
	my %session = (in => '', out => '', error => '');
	$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$session{in}, '>', \$session{out}, '2>', \$session{error}, IPC::Run::timeout(180));
	push @open, \%session;
	$session{pid} = ask(\%session, 'SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; SELECT pg_backend_pid()');
	return \%session;
}
sub send_sql { my ($session, $sql) = @_; $session->{in} .= "$sql;\n"; $session->{run}->pump_nb; }
sub answer
{
	my ($session) = @_;
	$session->{in} .= "\\echo end\n";
	$session->{run}->pump until $session->{out} =~ /^end\n/m;
	my $answer = $session->{out} =~ s/^end\n.*//mrs =~ s/\n$//r;
	$session->{out} = '';
	return $answer;
}
sub ask { my ($session, $sql) = @_; send_sql($session, $sql); return answer($session); }
sub close_session
{
	my ($session) = @_;
	$session->{in} .= "\\q\n";
	$session->{run}->finish;
}

my $rows = 5000;
sub make_table
{
	my ($name) = @_;
	sql("DROP TABLE IF EXISTS $name; CREATE TABLE $name AS SELECT i AS id, point(i % 100, i / 100) AS p FROM generate_series(1, $rows) i;
		CREATE INDEX ${name}_x ON $name USING xtree (p); ANALYZE $name");
}
my $all = q{p <@ box '(-1,-1),(101,101)'};
my $query = "SELECT count(*) FROM t WHERE $all";
make_table('t');

# Kilobytes of address space and paths of index files that a session maps.
sub maps { my ($session) = @_; return slurp_file("/proc/$session->{pid}/maps"); }
sub path { my ($index) = @_; return sql("SELECT pg_relation_filepath('$index')"); }
sub of { my ($index, $what) = @_; return sql("SELECT $what FROM pg_stat_xtree_indexes WHERE indexrelname = '$index'"); }
sub eventually
{
	my ($test, $name) = @_;
	for (1 .. 400) { last if $test->(); usleep(20_000); }
	ok($test->(), $name);
}

# Files that go away while an idle session maps them, and another session uses the new ones at once.
my $place = $node->basedir . '/place';
mkdir $place;
sql("CREATE TABLESPACE place LOCATION '$place'");
my $idle = open_session();
my $second = open_session();
for my $change ('REINDEX INDEX t_x', 'TRUNCATE t', 'VACUUM FULL t', 'ALTER INDEX t_x SET TABLESPACE place', 'ALTER INDEX t_x SET TABLESPACE pg_default', 'REINDEX INDEX CONCURRENTLY t_x', 'DROP INDEX t_x')
{
	make_table('t');
	sql('ALTER INDEX t_x SET TABLESPACE place') if $change =~ /pg_default/;
	ask($idle, q{SELECT xtree_load('t_x')});
	is(ask($idle, $query), $rows, "$change: the index is used");
	my ($old) = path('t_x') =~ m{(/\d+)$};
	like(maps($idle), qr/$old\b/, "$change: and mapped");
	sql($change);
	if ($change !~ /DROP/)
	{
		sql('INSERT INTO t VALUES (0, point(1, 1))') if $change =~ /TRUNCATE/;
		my $expected = $change =~ /TRUNCATE/ ? 1 : $rows;
		is(ask($second, $query), $expected, "$change: another session reads the new file");
		is(ask($second, q{SELECT xtree_load('t_x')}), 't', "$change: and loads it");
		is(ask($second, $query), $expected, "$change: and reads it through the mapping");
	}
	eventually(sub { maps($idle) !~ /$old\b/ }, "$change: the idle session has let go of the old file");
	sql('CHECKPOINT');
	is(join("\n", grep { m{/\d+ \(deleted\)} && !/SYSV|zero/ } split /\n/, maps($_)), '', "$change: no deleted file is mapped") for $idle, $second;
}
make_table('t');

# Files that cannot be mapped.
SKIP:
{
	skip 'there is no prlimit', 8 if system('prlimit --version >/dev/null 2>&1') != 0;
	my $poor = open_session();
	is(ask($poor, $query), $rows, 'a session without address space: before');
	sql(q{SELECT xtree_load('t_x')});
	my ($virtual) = slurp_file("/proc/$poor->{pid}/status") =~ /VmSize:\s+(\d+)/;
	system('prlimit', '--pid', $poor->{pid}, '--as=' . ($virtual * 1024 + 4096) . ':unlimited');
	my $reads = of('t_x', 'mapped_reads');
	is(ask($poor, $query), $rows, 'without address space buffers serve');
	is(of('t_x', 'mapped_reads'), $reads, 'nothing was mapped');
	like(of('t_x', 'last_error'), qr/no address space/, 'and the reason is shown');
	is(of('t_x', 'state'), 'loaded', 'for others it stays loaded');
	system('prlimit', '--pid', $poor->{pid}, '--as=unlimited:unlimited');
	usleep(1_100_000);
	ask($poor, $query);
	cmp_ok(of('t_x', 'mapped_reads'), '>', $reads, 'with address space again it is mapped');
	close_session($poor);

	$poor = open_session();
	ask($poor, $query =~ s/WHERE.*//r);
	# An invalidation may have the server close a file of the table, which it then cannot open either: then once more.
	my $found = '';
	for (1 .. 10)
	{
		ask($poor, "SET xtree.use_mmap = off; $query; SET xtree.use_mmap = auto");
		system('prlimit', '--pid', $poor->{pid}, '--nofile=3:1000');
		$reads = of('t_x', 'mapped_reads');
		$found = ask($poor, $query);
		system('prlimit', '--pid', $poor->{pid}, '--nofile=1000:1000');
		last if $found eq $rows;
	}
	is($found, $rows, 'without file descriptors buffers serve') or diag($poor->{error});
	is(of('t_x', 'mapped_reads'), $reads, 'nothing was mapped');
	usleep(1_100_000);
	ask($poor, $query);
	cmp_ok(of('t_x', 'mapped_reads'), '>', $reads, 'with descriptors again it is mapped');
	close_session($poor);
}
my $reader = open_session();
ask($reader, "SET xtree.use_mmap = off; $query; SET xtree.use_mmap = auto");
sql('REINDEX INDEX t_x');
ask($reader, "SET xtree.use_mmap = off; $query; SET xtree.use_mmap = auto");
my $file = $node->data_dir . '/' . path('t_x');
rename($file, "$file.away") or die $!;
is(ask($reader, $query), $rows, 'a file that is not there: what is in buffers is found');
my ($status, $out, $error) = $node->psql('postgres', q{SELECT xtree_load('t_x')});
isnt($status, 0, 'it cannot be loaded');
rename("$file.away", $file) or die $!;
usleep(1_100_000);
is(sql(q{SELECT xtree_load('t_x')}), 't', 'when it is there again it can');
is(ask($reader, $query), $rows, 'and is read');

# Ends of scans. After each the index can be evicted: no use is counted any more.
sub nothing_runs
{
	my ($what) = @_;
	is(sql(q{SELECT xtree_unload_idle('0 s') > 0}), 't', "$what: no scan is counted as running");
	is(of('t_x', q{concat_ws('|', state, backends)}), 'registered|0', "$what: nobody maps it");
}
my $session = open_session();
my $cursor = "DECLARE c CURSOR FOR SELECT id FROM t WHERE $all";
my %cases = (
	'an ERROR between two pages' => [ "SET xtree.stop_point = 'mapped-read+3:error'", $query, 'RESET xtree.stop_point' ],
	'an ERROR within a page' => [ "SET xtree.stop_point = 'mapped-open+2:error'", $query, 'RESET xtree.stop_point' ],
	'an ERROR of the query' => ["SELECT count(1 / (id - 300)) FROM t WHERE $all"],
	'a timeout within a page' => [ "SET xtree.stop_point = 'mapped-open+2:wait:7'", "SET statement_timeout = '300ms'", $query, 'RESET xtree.stop_point; RESET statement_timeout' ],
	'a cursor that is closed' => [ 'BEGIN', $cursor, 'FETCH 5 FROM c', 'CLOSE c', 'COMMIT' ],
	'a cursor at COMMIT' => [ 'BEGIN', $cursor, 'FETCH 5 FROM c', 'COMMIT' ],
	'a cursor at ROLLBACK' => [ 'BEGIN', $cursor, 'FETCH 5 FROM c', 'ROLLBACK' ],
	'a holdable cursor' => [ 'BEGIN', $cursor =~ s/CURSOR/CURSOR WITH HOLD/r, 'FETCH 5 FROM c', 'COMMIT', 'FETCH 5 FROM c', 'CLOSE c' ],
	'a cursor of a savepoint that is rolled back' => [ 'BEGIN', 'SAVEPOINT s', $cursor, 'FETCH 5 FROM c', 'ROLLBACK TO s', 'COMMIT' ],
	'a cursor of a savepoint that fails' => [ 'BEGIN', 'SAVEPOINT s', $cursor, 'FETCH 5 FROM c', 'SELECT 1 / 0', 'ROLLBACK TO s', 'SELECT 1', 'COMMIT' ],
	'a cursor older than a savepoint that is rolled back' => [ 'BEGIN', $cursor, 'FETCH 5 FROM c', 'SAVEPOINT s', 'FETCH 400 FROM c', 'ROLLBACK TO s', 'FETCH 400 FROM c', 'COMMIT' ],
	'a cursor that fails in a savepoint' => [ 'BEGIN', "DECLARE c CURSOR FOR SELECT 1 / (id - 700) FROM t WHERE $all", 'FETCH 5 FROM c', 'SAVEPOINT s', 'FETCH 4000 FROM c', 'ROLLBACK TO s', 'COMMIT' ],
	'a block with an exception' => [ "DO \$\$ DECLARE r record; BEGIN FOR i IN 1 .. 20 LOOP BEGIN FOR r IN SELECT id FROM t WHERE $all LOOP PERFORM 1 / (r.id % 100); END LOOP; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END \$\$" ],
	'PREPARE TRANSACTION' => [ 'BEGIN', $cursor, 'FETCH 5 FROM c', "PREPARE TRANSACTION 'p'", "COMMIT PREPARED 'p'" ],
	'a nested loop' => ["SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(*) FROM generate_series(1, 300) g JOIN t ON t.p <@ box(point(g, 0), point(g, 20))"],
	'two scans of the same index' => ["SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(*) FROM t a, t b WHERE a.p <@ box '(0,0),(20,20)' AND b.p <@ box(a.p, a.p)"],
	'a LIMIT' => [ "SELECT id FROM t WHERE $all LIMIT 3", "SELECT id FROM t ORDER BY p <-> point(50, 20) LIMIT 3" ],
	'parallel workers' => [ "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET enable_seqscan = on; SET $forced_parallel = on",
		"SELECT count(*) FROM t a WHERE EXISTS (SELECT FROM t b WHERE b.p <@ box(a.p, a.p) AND b.id >= 0)", $query,
		"SELECT count(*) FROM t a WHERE EXISTS (SELECT FROM t b WHERE b.p <@ box(a.p, a.p) AND 1 / (b.id - 2500) IS NOT NULL)", "RESET $forced_parallel; SET enable_seqscan = off" ],
	);
my $lock = open_session();
ask($lock, 'SELECT pg_advisory_lock(7)');
for my $what (sort keys %cases)
{
	ask($session, q{SELECT xtree_load('t_x')});
	my $loads = of('t_x', 'mapped_reads');
	ask($session, $_) for @{ $cases{$what} };
	cmp_ok(of('t_x', 'mapped_reads'), '>', $loads, "$what: read through the mapping");
	nothing_runs($what);
	is(ask($session, $query), $rows, "$what: the session answers");
}
my @ends = ([ 'the session ends', sub { close_session($_[0]) } ], [ 'the session is terminated', sub { sql("SELECT pg_terminate_backend($_[0]{pid}, 10000)") } ]);
for my $end (@ends)
{
	my $ending = open_session();
	ask($ending, q{SELECT xtree_load('t_x')});
	ask($ending, "BEGIN; $cursor; FETCH 5 FROM c");
	is(of('t_x', 'backends > 0'), 't', "$end->[0] in the middle of a scan");
	$end->[1]->($ending);
	eventually(sub { sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $ending->{pid}") eq '0' }, "$end->[0]: it is gone");
	nothing_runs($end->[0]);
}

# A cursor lives through an eviction; so does what it reads.
ask($session, q{SELECT xtree_load('t_x')});
ask($session, "BEGIN; $cursor; MOVE 5 FROM c");
is((split /\|/, of('t_x', q{concat_ws('|', state, backends)}))[0], 'loaded', 'a cursor');
$node->psql('postgres', q{SELECT xtree_unload('t_x')});
is(of('t_x', q{concat_ws('|', state, backends > 0)}), 'unloading|t', 'unloading waits for it');
sql('UPDATE t SET id = id + 100000 WHERE id % 2 = 0; VACUUM t; CHECKPOINT');
is(ask($session, 'MOVE ALL FROM c; COMMIT; SELECT 1'), 1, 'it goes on');
eventually(sub { of('t_x', q{concat_ws('|', state, backends)}) eq 'registered|0' }, 'when it has ended the index is let go of');
make_table('t');

# An index that a long statement uses again and again is not idle, however long ago that statement began.
sub configure
{
	$node->append_conf('postgresql.conf', $_) for @_;
	$node->reload;
}
configure(q{xtree.naptime = '100ms'}, q{xtree.idle_timeout = '1s'});
my $evictions = of('t_x', 'evictions');
ask($session, qq{DO \$\$ BEGIN FOR i IN 1 .. 40 LOOP PERFORM count(*) FROM t WHERE $all; PERFORM pg_sleep(0.1); END LOOP; END \$\$});
is(of('t_x', 'evictions'), $evictions, 'an index in use by a long statement is not evicted as idle');
ok($node->poll_query_until('postgres', qq{SELECT evictions > $evictions FROM pg_stat_xtree_indexes WHERE indexrelname = 't_x'}), 'afterwards it is');
configure(q{xtree.naptime = '1h'}, 'xtree.idle_timeout = 0');

# A parallel worker does not know what its leader's transaction made.
my $own = q{FROM xtree_stat_indexes() WHERE indexrelid = 'own_x'::regclass};
ask($session, qq{BEGIN; SET LOCAL $forced_parallel = on; CREATE TABLE own AS SELECT p FROM t; CREATE INDEX own_x ON own USING xtree (p); ANALYZE own});
like(ask($session, "EXPLAIN SELECT count(*) FROM own WHERE $all"), qr/Gather/, 'a parallel worker scans an index of its own transaction');
my $look = "SELECT count(*) FROM own WHERE $all";
is(ask($session, $look) . ask($session, $look), $rows x 2, 'it answers');
usleep(300_000);
is(ask($session, "$look; SELECT state, mapped_reads $own"), "$rows\nregistered|0", 'and asks nobody to load the index');
ask($session, 'ROLLBACK');

# A session that makes and drops indexes does not grow.
ask($session, q{DO $$ DECLARE n int; BEGIN
	FOR i IN 1 .. 250 LOOP
		EXECUTE 'CREATE TABLE brief (p point); INSERT INTO brief VALUES (point(1, 1)); CREATE INDEX brief_x ON brief USING xtree (p)';
		COMMIT;
		EXECUTE $q$SELECT count(*) FROM brief WHERE p <@ box '(0,0),(2,2)'$q$ INTO n;
		EXECUTE 'DROP TABLE brief';
		COMMIT;
	END LOOP;
END $$});
cmp_ok(ask($session, q{SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE name = 'xtree registry'}), '<', 50_000, 'dropped indexes leave the registry of a session');
ok($node->poll_query_until('postgres', 'SELECT count(*) < 5 FROM xtree_stat_indexes()'), 'and the table');

# Loads and drops at once.
for my $round (1 .. 3)
{
	my @names = map { "many_$_" } 1 .. 30;
	sql("CREATE TABLE $_ AS SELECT p FROM t LIMIT 500; CREATE INDEX ${_}_x ON $_ USING xtree (p)") for @names;
	my @busy = map { open_session() } 1 .. 3;
	for my $name (@names)
	{
		send_sql($_, "SELECT xtree_load('${name}_x'); SELECT count(*) FROM $name WHERE $all") for @busy[0, 1];
		send_sql($busy[2], $round == 1 ? 'SELECT 1' : "DROP INDEX ${name}_x");
	}
	my @said = map { answer($_) } @busy;
	my @bad = grep { /ERROR/ && ($round == 1 || !/does not exist|could not open relation|cache lookup failed|there is no relation with OID/) } map { split /\n/, $_->{error} } @busy;
	is("@bad", '', $round == 1 ? 'two sessions load thirty indexes for the first time' : 'two sessions load indexes that a third drops');
	is(scalar(grep { $_ eq '500' } map { split /\n/ } @said[0, 1]), 60, 'and all queries answer');
	close_session($_) for @busy;
	sql("DROP TABLE $_") for @names;
}
ok($node->poll_query_until('postgres', 'SELECT count(*) < 5 FROM xtree_stat_indexes()'), 'dropped indexes leave the table');

# A session is killed while it maps an index: the server starts again, and everything works.
my $killed = open_session();
sql(q{SELECT xtree_load('t_x')});
send_sql($killed, "SET xtree.stop_point = 'mapped-open+2:wait:7'; $query");
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}), 'a session in the middle of a page');
my $log = -s $node->logfile;
kill 'KILL', $killed->{pid};
$node->wait_for_log(qr/ready to accept connections/, $log);
$node->poll_query_until('postgres', 'SELECT true') or die;
ok($node->poll_query_until('postgres', 'SELECT pid IS NOT NULL FROM pg_stat_xtree_worker'), 'the worker runs again');
is(of('t_x', q{concat_ws('|', state, backends)}), 'registered|0', 'after the crash nothing is loaded');
is(sql(q{SELECT xtree_load('t_x')}), 't', 'the index can be loaded');
$session = open_session();
is(ask($session, $query), $rows, 'and read');

# Thousands of indexes in one session. What it keeps: its registry, beside the relation cache that any index needs.
my $count = $ENV{XTREE_STRESS_SECONDS} ? 3000 : 1000;
sql('CREATE TABLE small (p point); INSERT INTO small SELECT point(i, i) FROM generate_series(1, 50) i');
sql('CREATE INDEX ON small USING xtree (p); ' x 100) for 1 .. $count / 100;
my $touch = q{DO $$ DECLARE i oid; r record; BEGIN FOR i IN SELECT indexrelid FROM pg_index WHERE indrelid = 'small'::regclass LOOP %s END LOOP; END $$};
my $big = open_session();
my $memory = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name ~ '^xtree'};
ask($big, sprintf($touch, 'PERFORM xtree_load(i::regclass);'));
my $bytes = ask($big, $memory);
cmp_ok($bytes / $count, '<', 4096, sprintf('a session that has mapped %d indexes keeps %d bytes for each', $count, $bytes / $count));
my $mapped = () = maps($big) =~ m{/base/}g;
cmp_ok($mapped, '>=', $count, 'all are mapped');
my $loaded = q{SELECT count(*) FROM xtree_stat_indexes() WHERE state = 'loaded'};
cmp_ok(sql($loaded), '>=', $count, 'all are loaded');
my $begin = time;
$node->psql('postgres', q{SELECT xtree_unload_idle('0 s')});
ok($node->poll_query_until('postgres', $loaded, '0'), 'they are unloaded');
unlike(maps($big), qr{/base/}, 'the session maps nothing any more');
cmp_ok(time - $begin, '<', 60, 'within a minute');
close_session($big);
sql('DROP TABLE small');

# Two hundred sessions.
my @many;
my $sessions = 200;
for my $i (1 .. $sessions)
{
	my %one = (out => '', error => '');
	$one{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SET enable_seqscan = off; SET enable_indexonlyscan = off', '-c', $query, '-c', $query, '-c', 'SELECT pg_sleep(3)', '-c', $query ],
		'<', \undef, '>', \$one{out}, '2>', \$one{error}, IPC::Run::timeout(180));
	push @many, \%one;
}
$_->{run}->finish for @many;
is(scalar(grep { $_->{out} =~ s/\s+/ /gr eq "$rows $rows $rows " } @many), $sessions, "$sessions sessions answer");
is(join('', map { $_->{error} } @many), '', 'without an error');
eventually(sub { of('t_x', 'backends') <= 1 }, 'and none counts as mapping the index after its end');

# Damage, with page checksums. In the file only, while shared buffers hold the good page; then on the disk alone.
is(sql('SHOW data_checksums'), 'on', 'checksums are on');
make_table('t');
$session = open_session();
is(ask($session, "SET xtree.use_mmap = off; $query; SET xtree.use_mmap = auto"), $rows, 'all pages are in shared buffers');
sql('CHECKPOINT');
$file = $node->data_dir . '/' . path('t_x');
sub damage
{
	my ($block) = @_;
	open(my $handle, '+<:raw', $file) or die $!;
	for my $at (map { $block * 8192 + 200 + 16 * $_ } 0 .. 40)
	{
		seek($handle, $at, 0);
		read($handle, my $byte, 1);
		seek($handle, $at, 0);
		print $handle chr(ord($byte) ^ 0x55);
	}
	close $handle;
}
my $blocks = (-s $file) / 8192;
damage($_) for 2 .. $blocks - 1;
is(sql(q{SELECT xtree_load('t_x')}), 't', 'a damaged file is loaded');
my $before = of('t_x', 'buffer_reads');
is(ask($session, $query), $rows, 'shared buffers have the good pages');
cmp_ok(of('t_x', 'buffer_reads') - $before, '>=', $blocks - 2, 'which are read there');
is(ask($session, 'SELECT count(*) FROM (SELECT id FROM t ORDER BY p <-> point(3, 3) LIMIT 4000) k'), 4000, 'by distance, too');
$node->restart;
my @wrong;
for my $look ($query, "SELECT count(*) FROM t WHERE p <@ box '(0,0),(10,10)'", 'SELECT count(*) FROM (SELECT id FROM t ORDER BY p <-> point(3, 3) LIMIT 4000) k')
{
	for (1 .. 3)
	{
		($status, $out, $error) = $node->psql('postgres', "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $look");
		push @wrong, "$status: $out" if $status == 0 || $error !~ /invalid page in block \d+ of relation/;
		$node->psql('postgres', q{SELECT xtree_load('t_x')});
	}
}
is("@wrong", '', 'damaged pages that are only on the disk are an ERROR, mapped or not');
sql('REINDEX INDEX t_x');
is(sql(q{SELECT xtree_check('t_x', true)}), '', 'REINDEX repairs');
$_->{run}->kill_kill for grep { $_->{run}->pumpable } @open;
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 6|signal 11|signal 7/, 'no process crashed but the one that was killed');
done_testing();
