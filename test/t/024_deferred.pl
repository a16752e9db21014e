# Deferred indexes that are built in the background: demand, the queue, what the views and events show, and everything that can come
# in between.
#  - a query that could use the index asks for it, is not held up, and later ones use it; plans of sessions that were there are made anew
#  - one build per index however many ask; at most xtree.max_build_workers; in the order of demand; none with build_on_first_use = off
#  - errors in an expression, a lack of disk space, a killed process, a crash and a restart of the server in each phase, cancelled builds
#  - DROP INDEX, TRUNCATE, ALTER TABLE, DROP DATABASE and CREATE DATABASE ... TEMPLATE during a build get their way without an error
#  - standbys: not asked to build, use the index with new snapshots, not with old ones
#  - pg_dump and restore, pg_upgrade, new databases, unlogged tables after a crash
# Seen to fail: with a build process that is not flagged as autovacuum's are (statements and databases wait for it), and with snapshots of a
# standby not compared with the index (the old one misses rows).
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('deferred');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
autovacuum = off
restart_after_crash = on
max_worker_processes = 16
max_parallel_maintenance_workers = 0
xtree.naptime = '200ms'
deadlock_timeout = '100ms'
statement_timeout = '300s'
wal_consistency_checking = 'generic'
log_min_error_statement = panic
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);

my $rows = 20_000;
my $tables = 0;

# A table with an index that is not built; returns its name.
sub table
{
	my ($database, $kind, $more) = @_;
	my $name = 't' . ++$tables;
	$node->safe_psql($database // 'postgres', 'CREATE ' . ($kind // '') . qq{ TABLE $name (id int, p point);
		INSERT INTO $name SELECT i, point(i % 141, i / 141) FROM generate_series(1, $rows) i;
		INSERT INTO $name SELECT 0, point(500 + random(), random()) FROM generate_series(1, @{[ $more // 0 ]});
		ANALYZE $name;
		CREATE INDEX ${name}_p ON $name USING xtree (p) WITH (build = deferred)});
	return $name;
}

sub query { return "SELECT count(*), sum(id) FROM $_[0] WHERE p <@ box '(10,10),(19,19)'" }
my $window = join '|', $node->safe_psql('postgres', "SELECT count(*), sum(i) FROM generate_series(1, $rows) i WHERE i % 141 BETWEEN 10 AND 19 AND i / 141 BETWEEN 10 AND 19");

sub ask { return $node->safe_psql($_[1] // 'postgres', query($_[0])) }
sub show { my ($name, $what, $database) = @_; return $node->safe_psql($database // 'postgres', "SELECT $what FROM pg_stat_xtree_indexes WHERE indexrelname = '${name}_p'") }
sub wait_for { my ($name, $condition, $database) = @_; $node->poll_query_until($database // 'postgres', "SELECT $condition FROM pg_stat_xtree_indexes WHERE indexrelname = '${name}_p'") or die "$name: never $condition: " . show($name, '*', $database) }
sub plan_of { my ($name) = @_; return $node->safe_psql('postgres', 'EXPLAIN ' . query($name)) }
sub events { my ($name) = @_; return $node->safe_psql('postgres', "SELECT string_agg(reason, ', ' ORDER BY number) FROM pg_stat_xtree_events WHERE indexrelname = '${name}_p' AND kind IN ('build', 'failure')") }

# Asks again and again, as an application does, until the condition holds.
sub ask_until
{
	my ($sql, $condition, $database) = @_;
	$database //= 'postgres';
	for (my $i = 0; $i < 10 * $PostgreSQL::Test::Utils::timeout_default; $i++)
	{
		$node->psql($database, $sql);
		my (undef, $holds) = $node->psql($database, "SELECT $condition");
		return if $holds eq 't';
		usleep(100_000);
	}
	die "never: $condition";
}
sub ask_until_built { my ($name, $database) = @_; ask_until(query($name), "is_built FROM pg_stat_xtree_indexes WHERE indexrelname = '${name}_p'", $database) }

# The index is built, is used, and answers right.
sub is_right
{
	my ($name, $what, $database) = @_;
	wait_for($name, 'is_built', $database);
	is(ask($name, $database), $window, "$what: the answer");
	is($node->safe_psql($database // 'postgres', "SELECT xtree_check('${name}_p', true)"), '', "$what: the index is valid");
}

# Sessions that go on; those of hold() hold the advisory lock of a stop point, which is that of a database.
sub session
{
	my ($server, $database) = @_;
	my %session = (in => '', out => '', error => '');
	$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $server->connstr($database // 'postgres') ], '<', \$session{in}, '>', \$session{out}, '2>', \$session{error});
	return \%session;
}
sub hold
{
	my $session = session($node, @_);
	say_to($session, 'SELECT pg_advisory_lock(21)');
	return $session;
}
sub say_to { my ($session, $sql) = @_; $session->{out} = ''; $session->{in} .= "$sql;\n\\echo done\n"; $session->{run}->pump until $session->{out} =~ /done$/m; return $session->{out} =~ s/\s*done\s*$//r }
sub release { my ($session) = @_; $session->{in} .= "\\q\n"; $session->{run}->finish }

# Builds of this database stop there. '' : nowhere.
sub stop_at { my ($point, $database) = @_; $database //= 'postgres'; $node->safe_psql('template1', "ALTER DATABASE $database SET xtree.stop_point = '$point'") }
sub wait_until_stopped { my ($database) = @_; $node->poll_query_until('template1', "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE locktype = 'advisory' AND NOT granted AND backend_type = 'xtree build'") or die 'no build stops' }

# Demand.
{
	my $name = table();
	is(show($name, 'state, is_built, is_stale, demand, entries'), 'unbuilt|f|f|0|', 'created: unbuilt');
	$node->safe_psql('postgres', "SELECT count(*) FROM $name; SELECT id FROM $name WHERE id = 7; EXPLAIN SELECT p FROM $name");
	is(show($name, 'state, demand'), 'unbuilt|0', 'queries that could not use it do not ask for it');
	is($node->safe_psql('postgres', 'SET xtree.build_on_first_use = off; ' . query($name)), $window, 'off: the answer');
	is(show($name, 'state, demand'), 'unbuilt|0', 'off: nothing is asked for');
	my $gate = hold();
	stop_at('deferred-ready:wait:21');
	my $other = hold('template1');
	$other->{in} .= "\\c postgres\nPREPARE q AS " . query($name) . ";\n";
	is(say_to($other, 'EXECUTE q'), $window, 'the query that asks has its answer at once');
	wait_until_stopped();
	is(show($name, q{state, is_built, demand > 0, build_phase IS NOT NULL}), 'building|f|t|t', 'the build is shown');
	is($node->safe_psql('postgres', 'SELECT indexes - built > 0, building FROM pg_stat_xtree_builds'), 't|1', 'and counted');
	$node->safe_psql('postgres', "INSERT INTO $name SELECT 0, '(500,500)' FROM generate_series(1, 100)");
	ask($name) for 1 .. 5;
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'xtree build'}), 1, 'however many ask, one process builds');
	unlike(plan_of($name), qr/${name}_p/, 'no plan uses it before it is built');
	release($gate);
	stop_at('');
	is_right($name, 'built');
	like(plan_of($name), qr/${name}_p/, 'plans use it');
	is(say_to($other, 'EXECUTE q'), $window, 'a prepared statement');
	like(say_to($other, 'EXPLAIN EXECUTE q'), qr/${name}_p/, 'its plan is made anew');
	release($other);
	is(show($name, 'state IN (\'registered\', \'loading\', \'loaded\'), is_built, is_stale, entries, demand'), "t|t|f|" . ($rows + 100) . '|0', 'a built index as any');
	is(events($name), 'begun, built', 'events');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'xtree build'}), 0, 'the process is gone');
}

# Empty tables stay unbuilt, whatever is asked.
{
	my $name = table();
	$node->safe_psql('postgres', "TRUNCATE $name");
	ask($name) for 1 .. 3;
	is(show($name, 'state, demand'), 'unbuilt|0', 'an empty table');
	$node->safe_psql('postgres', "INSERT INTO $name SELECT i, point(i % 141, i / 141) FROM generate_series(1, $rows) i");
	is(show($name, 'state, is_stale'), 'unbuilt|t', 'rows make it stale');
	ask($name);
	is_right($name, 'filled');
	is(show($name, 'is_stale'), 'f', 'built is not stale');
}

# The order of demand, one at a time.
{
	my ($few, $many, $first) = (table(), table(), table());
	$node->safe_psql('postgres', 'ALTER SYSTEM SET xtree.max_build_workers = 1; SELECT pg_reload_conf()');
	$node->poll_query_until('postgres', 'SHOW xtree.max_build_workers', '1') or die 'no reload';
	my $gate = hold();
	stop_at('deferred-begin:wait:21');
	ask($first);
	wait_until_stopped();
	ask($few);
	ask($many) for 1 .. 3;
	is(show($_, 'state'), 'queued', 'queued') for $few, $many;
	$node->safe_psql('postgres', q{SELECT pg_sleep(0.5)});    # time for a process too many to show itself
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'xtree build'}), 1, 'one process');
	stop_at('');
	release($gate);
	is_right($_, 'queued') for $few, $many, $first;
	my $number = sub { $node->safe_psql('postgres', "SELECT number FROM pg_stat_xtree_events WHERE indexrelname = '$_[0]_p' AND reason = 'begun'") };
	cmp_ok($number->($many), '<', $number->($few), 'the one that more queries asked for came first');
	$node->safe_psql('postgres', 'ALTER SYSTEM SET xtree.max_build_workers = 0; SELECT pg_reload_conf()');
	$node->poll_query_until('postgres', 'SHOW xtree.max_build_workers', '0') or die 'no reload';
	my $never = table();
	ask($never);
	$node->safe_psql('postgres', q{SELECT pg_sleep(0.5)});
	is(show($never, 'state'), 'queued', 'no workers, no build');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET xtree.max_build_workers; SELECT pg_reload_conf()');
	is_right($never, 'workers again');
}

# An error in an expression: shown, not tried again before its time, and again thereafter.
{
	$node->safe_psql('postgres', qq{
		CREATE FUNCTION divide(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1000 / (\$1 - 100); END';
		CREATE TABLE failing AS SELECT i AS id FROM generate_series(1, 1000) i;
		CREATE INDEX failing_p ON failing USING xtree (divide(id)) WITH (build = deferred)});
	my $asks = 'SELECT count(*) FROM failing WHERE id <> 100 AND divide(id) = 1000';
	$node->safe_psql('postgres', $asks);
	wait_for('failing', q{state = 'failed'});
	is(show('failing', 'last_error, next_build > now() - interval \'1 hour\', demand > 0'), 'division by zero|t|t', 'an error is shown');
	ask_until($asks, q{count(*) >= 3 FROM pg_stat_xtree_events WHERE indexrelname = 'failing_p' AND reason = 'begun'});
	my ($times) = $node->safe_psql('postgres', q{SELECT bool_and(pause >= n * interval '0.9 s') FROM (SELECT row_number() OVER w AS n, lead(time) OVER w - time AS pause
		FROM pg_stat_xtree_events WHERE indexrelname = 'failing_p' AND reason = 'begun' WINDOW w AS (ORDER BY number)) s WHERE pause IS NOT NULL});
	is($times, 't', 'ever less often');
	$node->safe_psql('postgres', 'DELETE FROM failing WHERE id = 100');
	ask_until($asks, q{is_built FROM pg_stat_xtree_indexes WHERE indexrelname = 'failing_p'});
	is($node->safe_psql('postgres', q{SELECT xtree_check('failing_p', true)}), '', 'built at last');
}

# No space for temporary files.
{
	my $name = table(undef, undef, 80_000);
	$node->safe_psql('postgres', q{ALTER DATABASE postgres SET temp_file_limit = '64kB'; ALTER DATABASE postgres SET maintenance_work_mem = '1MB'});
	ask($name);
	wait_for($name, q{state = 'failed' AND last_error LIKE 'temporary file size exceeds%'});
	pass('out of disk space is shown');
	$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET temp_file_limit; ALTER DATABASE postgres RESET maintenance_work_mem');
	ask_until_built($name);
	is_right($name, 'after disk space was there');
}

# Waits for the crash, which may come when the query that asked for the build has long ended, and for the server after it. A psql that is not let in
# may end before it has got the query, of which IPC::Run dies.
sub recover
{
	my ($log) = @_;
	$node->wait_for_log(qr/terminating any other active server processes/, $log);
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if (eval { $node->safe_psql('postgres', 'SELECT NOT pg_is_in_recovery()') } // '') eq 't';
		usleep(100_000);
	}
	die 'no recovery';
}

# A killed process, an ERROR, a cancel and a terminated one, in each phase. The first takes the server with it, which recovers.
foreach my $point ('deferred-begin', 'build-row+5000', 'build-tree+2', 'build-meta', 'deferred-ready', 'deferred-validated', 'deferred-waited')
{
	foreach my $end ('error', 'cancel', 'terminate', 'crash')
	{
		my $name = table();
		if ($end =~ /error|crash/)
		{
			my $log = -s $node->logfile;
			stop_at("$point:$end");
			$node->psql('postgres', query($name));
			if ($end eq 'crash')
			{
				recover($log);
				$node->poll_query_until('postgres', q{SELECT pid IS NOT NULL FROM pg_stat_xtree_worker}) or die 'no worker';
			}
			else
			{
				wait_for($name, q{state = 'failed'});
				wait_for($name, 'size = 8192') if $point =~ /begin|build/;    # what was written is gone again
			}
			stop_at('');
		}
		else
		{
			my $gate = hold();
			stop_at("$point:wait:21");
			ask($name);
			wait_until_stopped();
			stop_at('');
			$node->safe_psql('postgres', "SELECT pg_${end}_backend(pid) FROM pg_stat_activity WHERE backend_type = 'xtree build'");
			$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_xtree_events WHERE indexrelname = '${name}_p' AND reason LIKE 'put off%'") or die 'not put off';
			release($gate);
		}
		$node->safe_psql('postgres', "INSERT INTO $name SELECT 0, '(500,500)' FROM generate_series(1, 500)");
		ask_until_built($name);
		is_right($name, "$point, $end");
	}
}

# Others get their way, at once and without an error.
foreach my $point ('build-row+5000', 'deferred-ready', 'deferred-validated')
{
	foreach my $statement ('DROP INDEX %s_p', 'DROP TABLE %s', 'TRUNCATE %s', 'ALTER TABLE %s ADD COLUMN c int', 'ALTER INDEX %s_p SET (fillfactor = 70)', 'VACUUM FULL %s',
		'REINDEX INDEX %s_p', 'REINDEX INDEX CONCURRENTLY %s_p', 'VACUUM %s', 'CREATE INDEX ON %s (id)',
		"BEGIN; INSERT INTO %1\$s VALUES (0, '(500,500)'); ALTER TABLE %1\$s ADD COLUMN c int; COMMIT")
	{
		my $name = table();
		my $gate = hold();
		stop_at("$point:wait:21");
		ask($name);
		wait_until_stopped();
		stop_at('');
		my ($status, undef, $error) = $node->psql('postgres', sprintf($statement, $name), on_error_stop => 1);
		is("$status $error", '0 ', "$point: $statement") unless $statement =~ /REINDEX.*CONC/;
		release($gate);
		next if $statement =~ /^(DROP|TRUNCATE)/;
		ask_until_built($name);
		is_right($name, "$point, $statement");
	}
}

# xtree_build(): waits for others' transactions, shows it, is cancelled and terminated, and leaves nothing behind.
{
	my $name = table();
	my $writer = session($node);
	say_to($writer, "BEGIN; INSERT INTO $name VALUES (0, '(500,500)')");
	my ($status, undef, $error) = $node->psql('postgres', "SET statement_timeout = '500ms'; CALL xtree_build('${name}_p')");
	like($error, qr/statement timeout/, 'xtree_build() is cancelled');
	is(show($name, 'state, last_error'), 'failed|canceling statement due to statement timeout', 'and shown as failed');
	my $builder = session($node);
	$builder->{in} .= "CALL xtree_build('${name}_p');\n";
	$builder->{run}->pump_nb;
	wait_for($name, q{state = 'building' AND build_phase LIKE 'waiting for writers%'});
	pass('what it waits for is shown');
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index");
	wait_for($name, q{state = 'unbuilt'});
	eval { release($builder) };
	$builder = session($node);
	$builder->{in} .= "CALL xtree_build('${name}_p');\n";
	$builder->{run}->pump_nb;
	wait_for($name, q{state = 'building' AND build_phase LIKE 'waiting for writers%'});
	say_to($writer, 'COMMIT');
	release($writer);
	is_right($name, 'xtree_build()');
	is(say_to($builder, 'SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = \'relation\' AND mode <> \'AccessShareLock\''), '0', 'no lock is left');
	release($builder);
}

# Databases that are dropped or copied while an index in them is built.
foreach my $how ('DROP DATABASE other', 'CREATE DATABASE copy TEMPLATE other STRATEGY wal_log', 'CREATE DATABASE copy TEMPLATE other STRATEGY file_copy')
{
	$node->safe_psql('postgres', 'CREATE DATABASE other');
	$node->safe_psql('other', 'CREATE EXTENSION xtree');
	my $name = table('other');
	my $gate = hold('other');
	stop_at('deferred-ready:wait:21', 'other');
	ask($name, 'other');
	wait_until_stopped();
	# the gate's session would be in the way itself
	stop_at('build-row:wait:22', 'other');
	$gate->{run}->signal('KILL');
	$gate->{run}->finish;
	$node->poll_query_until('template1', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'other' AND backend_type = 'client backend'}) or die 'a session is left';
	my ($status, undef, $error) = $node->psql('template1', $how);
	is("$status $error", '0 ', $how);
	next if $how =~ /^DROP/;
	stop_at('', 'other');
	foreach my $database ('copy', 'other')
	{
		ask_until_built($name, $database);
		is_right($name, "$how: $database", $database);
	}
	$node->safe_psql('template1', 'DROP DATABASE copy');
	$node->safe_psql('template1', 'DROP DATABASE other');
}

# A clean restart while a build goes on.
{
	my $name = table();
	my $gate = hold();
	stop_at('deferred-ready:wait:21');
	ask($name);
	wait_until_stopped();
	stop_at('');
	$node->restart;
	eval { release($gate) };
	is(show($name, 'state'), 'unbuilt', 'after a restart: unbuilt');
	ask($name);
	is_right($name, 'after a restart');
}

# Unlogged tables.
{
	my $name = table(undef, 'UNLOGGED');
	ask($name);
	is_right($name, 'unlogged');
	$node->stop('immediate');
	$node->start;
	is(show($name, 'state, is_built'), 'unbuilt|f', 'unlogged, after a crash: unbuilt');
	$node->safe_psql('postgres', "INSERT INTO $name SELECT i, point(i % 141, i / 141) FROM generate_series(1, $rows) i");
	ask($name);
	is_right($name, 'unlogged, filled again');
}

# A standby: nothing is asked of it, an index is used as soon as it is built, but not with a snapshot that is older.
{
	$node->backup('backup');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'backup', has_streaming => 1);
	# nothing removes what its snapshots see
	$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\nhot_standby_feedback = on\nwal_receiver_status_interval = 1");
	$standby->start;
	my $name = table();
	$node->wait_for_catchup($standby);
	is($standby->safe_psql('postgres', query($name)), $window, 'a standby answers without it');
	is($standby->safe_psql('postgres', "SELECT state, demand FROM pg_stat_xtree_indexes WHERE indexrelname = '${name}_p'"), 'unbuilt|0', 'and asks for nothing');
	my (undef, undef, $error) = $standby->psql('postgres', "CALL xtree_build('${name}_p')");
	like($error, qr/cannot execute xtree_build\(\) during recovery/, 'nor does it build');
	my $old = session($standby);
	is(say_to($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ; ' . query($name)), $window, 'an old snapshot on the standby');
	$node->poll_query_until('postgres', 'SELECT backend_xmin IS NOT NULL FROM pg_stat_replication') or die 'no feedback';
	$node->safe_psql('postgres', "DELETE FROM $name WHERE id % 2 = 0");
	my $half = ask($name);
	isnt($half, $window, 'rows that only that snapshot sees');
	wait_for($name, 'is_built');
	$node->safe_psql('postgres', "SELECT txid_current()");    # newer snapshots on the standby
	$node->wait_for_catchup($standby);
	is($standby->safe_psql('postgres', query($name)), $half, 'a new snapshot on the standby');
	like($standby->safe_psql('postgres', 'EXPLAIN ' . query($name)), qr/${name}_p/, 'uses the index');
	is(say_to($old, query($name)), $window, 'the old snapshot sees what it saw');
	unlike(say_to($old, 'EXPLAIN ' . query($name)), qr/${name}_p/, 'without the index');
	like(say_to($old, 'COMMIT; EXPLAIN ' . query($name)), qr/${name}_p/, 'the next transaction uses it');
	is($standby->safe_psql('postgres', "SELECT xtree_check('${name}_p', true)"), '', 'it is valid there');
	release($old);

	# promoted in the middle of a build: asked for again, and built
	my $half_built = table();
	my $gate = hold();
	stop_at('deferred-ready:wait:21');
	ask($half_built);
	wait_until_stopped();
	stop_at('');
	$node->wait_for_catchup($standby);
	$standby->promote;
	release($gate);
	my $primary = $node;
	$node = $standby;
	is(show($half_built, 'state'), 'unbuilt', 'promoted: unbuilt');
	ask_until_built($half_built);
	is_right($half_built, 'promoted');
	$node = $primary;
	$standby->stop;
}

# pg_dump and restore.
{
	my $name = table();
	$node->safe_psql('postgres', 'CREATE DATABASE restored');
	$node->safe_psql('restored', 'CREATE EXTENSION xtree');
	$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-t', $name, '-f', "$PostgreSQL::Test::Utils::tmp_check/$name.sql" ], 'pg_dump');
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', "$PostgreSQL::Test::Utils::tmp_check/$name.sql" ], 'restore');
	is(show($name, 'state', 'restored'), 'unbuilt', 'restored: unbuilt');
	ask($name, 'restored');
	is_right($name, 'restored', 'restored');
}

# pg_upgrade: files go over as they are.
SKIP:
{
	my $bin = $node->config_data('--bindir');
	skip 'pg_upgrade is not installed', 1 if !-x "$bin/pg_upgrade";
	my ($built, $unbuilt) = (table(), table());
	ask($built);
	is_right($built, 'before pg_upgrade');
	$node->stop;
	my $new = PostgreSQL::Test::Cluster->new('upgraded');
	$new->init;
	$new->append_conf('postgresql.conf', "shared_preload_libraries = 'xtree'\nautovacuum = off");
	chdir $PostgreSQL::Test::Utils::tmp_check;
	command_ok([ "$bin/pg_upgrade", '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin, '-s', $new->host, '-p', $node->port, '-P', $new->port ],
		'pg_upgrade');
	$new->start;
	$node = $new;
	is(show($built, 'is_built'), 't', 'upgraded: built');
	is_right($built, 'upgraded, built');
	like(plan_of($built), qr/${built}_p/, 'and used');
	is(show($unbuilt, 'state'), 'unbuilt', 'upgraded: unbuilt');
	ask($unbuilt);
	is_right($unbuilt, 'upgraded, unbuilt');
}

$node->stop;
done_testing();
