# Mapped reads under everything at once: in one snapshot, scans of every kind through the mapping must give what the sequential scan gives.
#  - writers insert, update, delete, copy, roll back, and roll back to savepoints; VACUUM, fast checkpoints, tiny shared buffers and few
#    freshness slots; indexes are loaded, unloaded, evicted, reindexed (concurrently as well), created and dropped; sessions come and go
#  - readers compare count, sum(id) and sum(version) in REPEATABLE READ transactions: window, bitmap, KNN, boxes, supernodes, a nested loop
#  - a row that a session has committed is seen by another session that is told of it, at once; a row that it has deleted is gone
#  - databases are copied by both strategies meanwhile, and their indexes answer
#  - with page checksums, and from PostgreSQL 18 on with each io_method that the system has
#  - with direct I/O, which knows nothing of the page cache, nothing is mapped
# XTREE_STRESS_SECONDS makes it run longer. XTREE_STRESS_BREAK=rule breaks a rule of the freshness protocol (src/README.md, "Mapped reads").
# Seen to fail, with wrong answers within seconds: without raised slots (publish), with files that are not written before they are
# loaded (admission), with a checkpoint believed before its end (checkpoint). A page that is not looked at again (recheck) takes a
# split, a write and a preemption within microseconds: 012_mapped_reads.pl shows that one.
# Found by it: xtree_load of an index that was used first while the worker's round went on said that nobody had used it.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $seconds = ($ENV{XTREE_STRESS_SECONDS} // 20) / 2;  # of each round
my $broken = $ENV{XTREE_STRESS_BREAK};

my $node = PostgreSQL::Test::Cluster->new('stress');
$node->init(extra => ['-k']);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
checkpoint_timeout = '30s'
fsync = off
autovacuum = on
autovacuum_naptime = '1s'
max_connections = 60
deadlock_timeout = '200ms'
statement_timeout = 0
log_min_messages = warning
xtree.freshness_slots = 1024
xtree.naptime = '100ms'
xtree.map_after = 0
xtree.idle_timeout = '1s'
xtree.memory_budget = '6MB'
CONF
$node->append_conf('postgresql.conf', "xtree.break_rule = '$broken'") if defined $broken;
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

my $copied = PostgreSQL::Test::Utils::tempdir . '/rows';
open(my $handle, '>', $copied) or die $!;
printf $handle "%d\t(%.3f,%.3f)\t(%d,%d),(%d,%d)\n", 1, rand 100, rand 100, map { int rand 100 } 1 .. 4 for 1 .. 60;
close $handle;
chmod 0644, $copied;

# t: points and boxes; s: eight dimensions, where supernodes form.
my $eight = join ', ', map { "c$_" } 1 .. 8;
my $random = join ', ', map { 'random()' } 1 .. 8;
my $tables = qq{
	CREATE EXTENSION xtree;
	CREATE TABLE t (id serial PRIMARY KEY, v int DEFAULT 0, p point, b box);
	CREATE TABLE s (id serial PRIMARY KEY, v int DEFAULT 0, ${\join ', ', map { "c$_ float8" } 1 .. 8});
	INSERT INTO t (p, b) SELECT point(random() * 100, random() * 100), box(point(x, y), point(x + 3, y + 3))
		FROM (SELECT random() * 100 AS x, random() * 100 AS y FROM generate_series(1, 12000)) r;
	INSERT INTO s ($eight) SELECT $random FROM generate_series(1, 6000);
	CREATE INDEX t_p ON t USING xtree (p);
	CREATE INDEX t_b ON t USING xtree (b);
	CREATE INDEX t_v ON t USING xtree (v, id);
	CREATE INDEX s_c ON s USING xtree ($eight) WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 6);
	CHECKPOINT;};
sql($tables);
sql(qq{
CREATE PROCEDURE write_rows(me int, writers int, until timestamptz) LANGUAGE plpgsql AS \$\$
DECLARE dice float8; low int; x float8; y float8; most int;
BEGIN
	WHILE clock_timestamp() < until LOOP
		dice := random(); x := random() * 90; y := random() * 90;
		SELECT max(id) INTO most FROM t;
		low := random() * most;
		IF dice < 0.25 THEN
			INSERT INTO t (p, b) SELECT point(x + random() * 3, y + random() * 3), box(point(x, y), point(x + i * 0.01, y + 3)) FROM generate_series(1, 80) i;
		ELSIF dice < 0.55 THEN
			UPDATE t SET v = v + 1, p = point(p[0] + random() - 0.5, p[1] + random() - 0.5) WHERE id BETWEEN low AND low + 150 AND id % writers = me;
		ELSIF dice < 0.65 THEN
			DELETE FROM t WHERE id BETWEEN low AND low + 300 AND id % writers = me;
		ELSIF dice < 0.70 THEN
			COPY t (v, p, b) FROM '$copied';
		ELSIF dice < 0.80 THEN
			UPDATE s SET v = v + 1, c1 = random(), c5 = random() WHERE id BETWEEN low % 6000 AND low % 6000 + 60 AND id % writers = me;
			INSERT INTO s ($eight) SELECT $random FROM generate_series(1, 20);
			DELETE FROM s WHERE id BETWEEN (low + 500) % 9000 AND (low + 500) % 9000 + 60 AND id % writers = me;
		ELSIF dice < 0.90 THEN
			BEGIN
				INSERT INTO t (v, p, b) SELECT 1000, point(x, y), box(point(x, y), point(x, y)) FROM generate_series(1, 150);
				UPDATE t SET v = v + 1000 WHERE id BETWEEN low AND low + 60 AND id % writers = me;
				RAISE EXCEPTION 'rolled back';
			EXCEPTION WHEN raise_exception THEN NULL;
			END;
			UPDATE t SET v = v + 1 WHERE id BETWEEN low AND low + 30 AND id % writers = me;
		ELSE
			INSERT INTO t (v, p, b) SELECT 1000, point(x, y), box(point(x, y), point(x, y)) FROM generate_series(1, 150);
			UPDATE t SET v = v + 1000 WHERE id BETWEEN low AND low + 60 AND id % writers = me;
			ROLLBACK;
		END IF;
		COMMIT;
	END LOOP;
END \$\$;

-- One query by a plain scan of the index and by a bitmap, against the sequential scan.
CREATE PROCEDURE compare(query text, ordered bool) LANGUAGE plpgsql AS \$\$
DECLARE expected text; found text; how text;
BEGIN
	SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
	EXECUTE query INTO expected;
	SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;
	FOREACH how IN ARRAY CASE WHEN ordered THEN ARRAY['plain'] ELSE ARRAY['plain', 'bitmap', 'plain'] END LOOP
		PERFORM set_config('enable_indexscan', CASE how WHEN 'plain' THEN 'on' ELSE 'off' END, true);
		PERFORM set_config('enable_bitmapscan', CASE how WHEN 'plain' THEN 'off' ELSE 'on' END, true);
		EXECUTE query INTO found;
		IF found IS DISTINCT FROM expected THEN
			RAISE EXCEPTION 'WRONG ANSWER of a % scan: % instead of % for %', how, found, expected, query;
		END IF;
	END LOOP;
	SET LOCAL enable_sort = on;
END \$\$;

CREATE PROCEDURE read_rows(until timestamptz) LANGUAGE plpgsql AS \$\$
DECLARE x float8; y float8; w float8; i int; checks int := 0;
BEGIN
	WHILE clock_timestamp() < until LOOP
		PERFORM set_config('enable_indexonlyscan', 'off', true);
		FOR i IN 1 .. 3 LOOP
			x := random() * 100; y := random() * 100; w := CASE WHEN random() < 0.2 THEN 200 ELSE random() * 20 END;
			CALL compare(format('SELECT (count(*), sum(id), sum(v))::text FROM t WHERE p <\@ box(point(%s,%s), point(%s,%s))', x, y, x - w, y - w), false);
			CALL compare(format('SELECT (count(*), sum(id), sum(v))::text FROM t WHERE b && box(point(%s,%s), point(%s,%s))', x, y, x - w, y - w), false);
			CALL compare(format('SELECT array_agg(d ORDER BY d)::text FROM (SELECT p <-> point(%s,%s) AS d FROM t ORDER BY p <-> point(%1\$s,%2\$s) LIMIT 60) k', x, y), true);
			CALL compare(format('SELECT (count(*), sum(id), sum(v))::text FROM s WHERE c1 > %s AND c2 < %s AND c5 > %s', x / 100, y / 100, w / 40), false);
			CALL compare(format('SELECT (count(*), sum(id), sum(v))::text FROM t WHERE v > 0 AND id > %s', x * 100), false);
			CALL compare(format('SELECT (count(*), sum(t.id), sum(t.v))::text FROM generate_series(1, 5) g, t WHERE t.p <\@ box(point(g, %s), point(g * 4, %s))', y, y + 4), false);
			checks := checks + 6;
		END LOOP;
		COMMIT;
	END LOOP;
	RAISE NOTICE 'checks: %', checks;
END \$\$;
});
$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('original', $tables);

my ($end, @sessions);
my ($rounds, $unseen, $undead, $copies, $checks) = (0, 0, 0, 0, 0);
my @copy_failures;

# A session that runs all the time, and one after the other that run the statements again and again until the end.
sub start_session
{
	my ($name, @command) = @_;
	my %session = (name => $name, out => '', error => '');
	$session{run} = IPC::Run::start(\@command, '<', \undef, '>', \$session{out}, '2>', \$session{error}, IPC::Run::timeout($seconds + 300));
	push @sessions, \%session;
}
sub start_call { start_session($_[0], 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), map { ('-c', $_) } @_[1 .. $#_]); }
sub start_repeated
{
	my ($name, $pause, @sql) = @_;
	my $psql = join ' ', 'psql -XAtq -d "$CONNECTION"', map { qq{-c "$_"} } @sql;
	local $ENV{CONNECTION} = $node->connstr('postgres');
	my $last = int $end;
	start_session($name, 'sh', '-c', "while [ \$(date +%s) -lt $last ]; do $psql; sleep $pause; done");
}

# Three sessions for questions and answers, in turn.
sub open_session
{
	my %session = (in => '', out => '');
	$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ], '<', \$session{in}, '>', \$session{out}, IPC::Run::timeout($seconds + 300));
	return \%session;
}
sub close_session
{
	my ($session) = @_;
	$session->{in} .= "\\q\n";
	$session->{run}->finish;
}
sub ask
{
	my ($session, $sql) = @_;
	$session->{out} = '';
	$session->{in} .= "$sql;\n\\echo end\n";
	$session->{run}->pump until $session->{out} =~ s/^end\n//m;
	return $session->{out} =~ s/\n$//r;
}

sub copy_database
{
	my $strategy = $copies++ % 2 ? 'wal_log' : 'file_copy';
	$node->safe_psql('original', 'UPDATE t SET v = v + 1, p = point(p[0] + 0.1, p[1]) WHERE id % 10 = ' . ($copies % 10));
	$node->safe_psql('postgres', "CREATE DATABASE copy TEMPLATE original STRATEGY $strategy");
	my $look = q{SELECT count(*), sum(id), sum(v) FROM t WHERE p <@ box '(10,10),(70,90)'};
	$node->psql('copy', q{SELECT xtree_load('t_p')});  # may be evicted at once
	my $looks = $node->safe_psql('copy', qq{SET enable_indexonlyscan = off; BEGIN ISOLATION LEVEL REPEATABLE READ;
		$look; SET LOCAL enable_seqscan = off; $look; COMMIT; UPDATE t SET v = 0 WHERE id < 100; $look; SET enable_seqscan = off; $look});
	my @answers = split /\n/, $looks;
	push @copy_failures, "$strategy: @answers" if $answers[0] ne $answers[1] || $answers[2] ne $answers[3];
	$node->safe_psql('postgres', 'DROP DATABASE copy');
}
sub start_everything
{
	my ($checkpoint, $pause) = @_;
	my $until = sql("SELECT clock_timestamp() + interval '$seconds s'");
	start_call("writer $_", "CALL write_rows($_, 3, '$until')") for 0 .. 2;
	start_call("reader $_", q{SET default_transaction_isolation = 'repeatable read'}, "CALL read_rows('$until')") for 0 .. 2;
	start_repeated('checkpoints', $pause, $checkpoint);
	start_repeated('vacuum', '0.3', 'VACUUM t', 'VACUUM s');
	start_repeated('unloads', '0.3', q{SELECT xtree_unload('t_p'), xtree_load('t_p')}, q{SELECT xtree_unload_cold(1000000)}, q{SELECT xtree_load('s_c')});
	start_repeated('pins', '0.5', q{SELECT xtree_pin_hot()}, q{SELECT xtree_unload_idle('0 s')});
	start_repeated('reindex', '0.5', 'REINDEX INDEX t_p', 'REINDEX INDEX CONCURRENTLY t_b', 'REINDEX INDEX CONCURRENTLY s_c');
	start_repeated('indexes', '0.2', 'CREATE INDEX passing ON t USING xtree (p, v)', q{SELECT xtree_load('passing')}, 'DROP INDEX passing',
		'CREATE INDEX CONCURRENTLY passing ON t USING xtree (b)', 'DROP INDEX CONCURRENTLY passing');
}

# A commit, then the news of it, then a look, by different sessions. Meanwhile databases are copied.
sub commit_and_look
{
	my ($writer, $other, $reader) = map { open_session() } 1 .. 3;
	ask($reader, 'SET enable_seqscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off');
	my ($next_copy, $copied, $least) = (time + $seconds / 5, 0, $rounds + 4);  # however slow the machine is
	while (time < $end || $rounds < $least)
	{
		$rounds++;
		my ($x, $y) = (rand 90, rand 90);
		my $session = $rounds % 2 ? $writer : $other;
		my $id = -$rounds;  # nobody else touches it
		ask($session, "INSERT INTO t (id, p, b) VALUES ($id, point($x, $y), box(point($x, $y), point($x, $y)))");
		my $where = "id - ($id) = 0 AND p <@ box(point($x + 0.001, $y + 0.001), point($x - 0.001, $y - 0.001))";
		$unseen++ if ask($reader, "SELECT count(*) FROM t WHERE $where") ne '1';
		ask($session, "DELETE FROM t WHERE id = $id");
		$undead++ if ask($reader, "SELECT count(*) FROM t WHERE $where") ne '0';
		next if time < $next_copy || ($copied && time >= $end);
		copy_database();
		$copied = 1;
		$next_copy = time + 3;
	}
	close_session($_) for $writer, $other, $reader;
}

# What may be said to a session: that an index has just been dropped, is in use, is being unloaded.
my $allowed = qr/deadlock detected|is still in use|are still in use|"passing"|it is being unloaded|it cannot be loaded now|its file went away while/;
sub finish_sessions
{
	my ($what) = @_;
	sql('CHECKPOINT');  # lets a slow one end
	for my $session (@sessions)
	{
		$session->{run}->finish;
		$checks += $1 if $session->{error} =~ s/^.*NOTICE:  checks: (\d+)\n(CONTEXT.*\n)?//m;
		my @said = grep { /(ERROR|FATAL|PANIC|WARNING):/ && $_ !~ $allowed } split /\n/, $session->{error};
		is(join("\n", @said), '', "$what: $session->{name}: no error");
	}
	@sessions = ();
}

# io_method of a round from PostgreSQL 18 on; io_uring is there only where the server was built with it and the kernel allows it.
sub io_method
{
	my ($method) = @_;
	return '' if $node->pg_version < 18;
	if ($method eq 'io_uring')
	{
		$node->stop;
		$node->append_conf('postgresql.conf', "io_method = io_uring");
		$method = 'sync' if !$node->start(fail_ok => 1);
		$node->append_conf('postgresql.conf', "io_method = $method");
		$node->start if $method eq 'sync';
	}
	note("io_method = $method");
	return "io_method = $method\n";
}

# Few buffers, incessant checkpoints, wal_level minimal: pages are written all the time, half are read through the mapping. Then many
# buffers and slow checkpoints: files lag behind.
for my $round ([ 'few buffers', "shared_buffers = '1MB'", 'worker', '0.2', 'CHECKPOINT' ],
	[ 'many buffers', "shared_buffers = '32MB'\nwal_level = replica", 'io_uring', '1', q{SELECT pg_backup_start('slow', false)} ])
{
	my ($what, $settings, $method, $pause, $checkpoint) = @$round;
	$node->append_conf('postgresql.conf', io_method($method) . $settings);
	$node->restart;
	$end = time + $seconds;
	start_everything($checkpoint, $pause);
	commit_and_look();
	finish_sessions($what);
	is($unseen, 0, "$what: each row was seen as soon as its commit was known");
	is($undead, 0, "$what: none after its deletion was known");
	my $activity = sql(q{SELECT sum(mapped_reads), sum(buffer_reads), sum(retries), sum(loads), sum(unloads), sum(evictions), sum(faults) FROM pg_stat_xtree_indexes});
	my ($mapped, $buffered, $retries, $loads, $unloads, $evictions, $faults) = split /\|/, $activity;
	note("$what: mapped $mapped, buffers $buffered, retries $retries, loads $loads, unloads $unloads, evictions $evictions, faults $faults, checks $checks, rounds $rounds");
	cmp_ok($mapped, '>', 1000, "$what: pages were read through mappings");
	cmp_ok($unloads + $evictions, '>', 5, "$what: indexes were let go of");
	ok($node->poll_query_until('postgres', q{SELECT coalesce(sum(backends), 0) = 0 FROM pg_stat_xtree_indexes}),
		"$what: no session that has ended counts as mapping an index");
}
cmp_ok($rounds, '>', 5, "$rounds rows were inserted, looked for, deleted, looked for");
cmp_ok($copies, '>', 0, "$copies databases were copied");
is("@copy_failures", '', 'and their indexes answered');
cmp_ok($checks, '>', 20, "$checks comparisons of an index's answers with the table's");
for my $index (split /\n/, sql(q{SELECT indexrelname FROM pg_stat_xtree_indexes JOIN pg_index USING (indexrelid) WHERE indisvalid}))
{
	my ($status, undef, $error) = $node->psql('postgres', "SELECT xtree_check('$index', true)");
	is($error, '', "xtree_check of $index");
}
is(sql(q{SELECT restarts, coalesce(last_error, '') FROM pg_stat_xtree_worker}), '0|', 'the worker met no error');
$node->stop;

SKIP:
{
	skip 'no direct I/O before PostgreSQL 16', 5 if $node->pg_version < 16;
	$node->append_conf('postgresql.conf', "debug_io_direct = data\nxtree.naptime = '100ms'");
	skip 'this file system has no direct I/O', 5 if !$node->start(fail_ok => 1);
	is(sql('SELECT mapping FROM pg_stat_xtree_memory'), 'debug_io_direct includes data', 'direct I/O: it is said why nothing is mapped');
	my $reads = q{SELECT mapped_reads, buffer_reads FROM pg_stat_xtree_indexes WHERE indexrelname = 't_p'};
	$node->poll_query_until('postgres', 'SELECT cycles > 0 FROM pg_stat_xtree_worker') or die 'no worker';  # which takes over what was counted before
	sql(q{SELECT xtree_load('t_p')});
	my ($mapped, $buffered) = split /\|/, sql($reads);
	my $look = q{SELECT count(*), sum(id), sum(v) FROM t WHERE p <@ box '(10,10),(70,90)'};
	is(sql("SET enable_seqscan = off; SET enable_indexonlyscan = off; $look; $look"), join("\n", (sql("SET enable_indexscan = off; SET enable_bitmapscan = off; $look")) x 2), 'indexes answer');
	my ($mapped_then, $buffered_then) = split /\|/, sql($reads);
	cmp_ok($buffered_then, '>', $buffered, 'through shared buffers');
	is($mapped_then, $mapped, 'alone');
	is(sql(q{SELECT sum(backends) FROM pg_stat_xtree_indexes}), 0, 'and nobody maps anything');
	$node->stop;
}
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|page verification failed/, 'nor did the server');
done_testing();
