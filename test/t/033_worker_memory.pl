# Memory of the worker and of the shared table, where there is too little of it, and what is counted of it: allocations that fail while an index is
# built, admitted and pinned; locked memory for a part of an index; a hot page table full of pinned pages; last uses noted at the same time;
# indexes that index-only scans alone read; reads from disk through a mapping.
# Seen to fail: with the look-up of an error's index made while the failed look-up still holds its lock (xtree_build never ends); with sets of a
# holding that are gone while it still counts blocks (the worker dies, and the server with it); with mappings left by an admission that failed; with
# nothing pinned of an index larger than the limit; with a pinned page replaced by one that was seen once; with a last use set back; with an index
# that index-only scans alone use never loaded; with each mapped read shown as a hit.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $node = PostgreSQL::Test::Cluster->new('worker_memory');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = xtree
autovacuum = off
restart_after_crash = off
xtree.naptime = 1h
xtree.map_after = 0
xtree.idle_timeout = 0
xtree.max_tracked_pages = 64
xtree.build_on_first_use = off
max_parallel_maintenance_workers = 0
max_parallel_workers_per_gather = 0
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);

sub value { return $node->safe_psql('postgres', $_[0]); }
sub of { my ($index, $column) = @_; return value("SELECT $column FROM pg_stat_xtree_indexes WHERE indexrelname = '$index'"); }
sub worker_pid { return value('SELECT pid FROM pg_stat_xtree_worker'); }

# Waits until a signal is pending for a process that is stopped (SIGHUP is the first bit of the set).
sub wait_for_hangup
{
	my ($pid) = @_;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my ($pending) = slurp_file("/proc/$pid/status") =~ /^ShdPnd:\s*([0-9a-f]+)/m;
		return if hex($pending) & 1;
		select(undef, undef, undef, 0.1);
	}
	die 'the worker was not told of the new settings';
}

# A whole cycle of the worker, which a reload brings about.
sub cycle
{
	my $cycles = value('SELECT cycles FROM pg_stat_xtree_worker');
	$node->reload;
	$node->poll_query_until('postgres', "SELECT cycles > $cycles FROM pg_stat_xtree_worker") or die 'no cycle';
}

# ---- xtree_build: each allocation fails once, the first ones in a session of their own
value(q{CREATE TABLE late AS SELECT point(i, i % 10) AS p FROM generate_series(1, 500) i;
	CREATE INDEX late_p ON late USING xtree (p) WITH (build = deferred)});
my ($failed, $hung) = (0, 0);
foreach my $n (1 .. 40)
{
	my ($status, $out, $error) = $node->psql('postgres', "SET xtree.fail_allocation = $n; CALL xtree_build('late_p')", timeout => 60, timed_out => \my $timed_out);
	$hung = $n, last if $timed_out;
	last if $status == 0;
	like($error, qr/ERROR:  out of (shared )?memory/, "allocation $n: no other error") or last;
	$failed++;
}
BAIL_OUT("xtree_build waits for itself after the failure of allocation $hung") if $hung;
cmp_ok($failed, '>', 20, "$failed builds failed and ended");
my $script = join '', map { "SET xtree.fail_allocation = $_; CALL xtree_build('late_p');\n" } 41 .. 500;
my ($status, $out, $error) = $node->psql('postgres', $script, on_error_stop => 0, timeout => 120);
my $others = () = $error =~ /ERROR:  (?!out of (?:shared )?memory)/g;
is($others, 0, 'later ones fail with no other error');
value(q{CALL xtree_build('late_p')});
is(value(q{SELECT xtree_check('late_p', true)}) . of('late_p', 'is_built'), 't', 'in the end it is built');

# ---- The worker: each allocation of a round fails once, in which files are new, so that they are admitted and mapped for pins
value(q{CREATE TABLE t AS SELECT i, point(i % 500, i / 500) AS p FROM generate_series(0, 49999) i;
	CREATE INDEX whole ON t USING xtree (p) WITH (strategy = resident);
	CREATE INDEX paged ON t USING xtree (p, i) WITH (strategy = paged);
	VACUUM ANALYZE t});
my $use = q{SET enable_seqscan = off; SELECT xtree_load('whole'), xtree_load('paged')};
value($use);
my ($errors, $pins, $n) = (0, 0, 0);
value('ALTER ROLE ' . value('SELECT current_user') . ' SET xtree.fail_allocation = 0');  # not in sessions
while ($n++ < 150)
{
	# A round that had begun before would end without the failure.
	$node->poll_query_until('postgres', q{SELECT state = 'idle' FROM pg_stat_xtree_worker}) or die "the worker is not idle, allocation $n";
	my ($cycles, $restarts) = split /\|/, value('SELECT cycles, restarts FROM pg_stat_xtree_worker');
	my $seen = value('SELECT coalesce(max(number), 0) FROM pg_stat_xtree_events');
	my $worker = worker_pid();
	kill 'STOP', $worker;
	value('REINDEX INDEX whole; REINDEX INDEX paged');
	value(q{SET enable_seqscan = off; SET enable_indexonlyscan = off; SELECT count(i) FROM t WHERE p <@ box '(0,0),(5,5)'; SELECT count(i) FROM t WHERE p <@ box '(0,0),(5,5)' AND i > 0});
	$node->safe_psql('postgres', "ALTER SYSTEM SET xtree.fail_allocation = $n; SELECT pg_reload_conf()");
	# The postmaster passes the signal on when it comes to it; a round that began earlier would run without the failure.
	wait_for_hangup($worker);
	kill 'CONT', $worker;
	$node->poll_query_until('postgres', "SELECT restarts > $restarts OR cycles > $cycles FROM pg_stat_xtree_worker") or die "the worker is gone, allocation $n";
	# Older events than the last 512 are gone.
	$pins += value("SELECT count(*) FROM pg_stat_xtree_events WHERE reason = 'not pinned: out of memory' AND number > $seen");
	if (value("SELECT restarts = $restarts FROM pg_stat_xtree_worker") eq 't')
	{
		# One that may fail without an error; or there was none of this number.
		last if $pins > 1 || $n > ($pins > 0 ? 60 : 150);
		next;
	}
	$errors++;
}
cmp_ok($errors, '>', 2, "$errors errors of the worker by failed allocations");
cmp_ok($pins, '>', 0, 'one was of the pins');
value('ALTER SYSTEM RESET xtree.fail_allocation');
value($use);
cycle();
cmp_ok(of($_, 'pinned_bytes'), '>', 0, "$_: pinned again") foreach 'whole', 'paged';
is(of('whole', 'pinned_bytes = size'), 't', 'and whole');
value('CHECKPOINT');  # deletes the files, which were only truncated before
my @gone = grep { /deleted/ && /base/ } split /\n/, slurp_file('/proc/' . worker_pid() . '/maps');
is(scalar(@gone), 0, 'no mapping is left of the files that were replaced');
is(value(q{SELECT xtree_check('whole', true), xtree_check('paged', true)}), '|', 'the indexes are whole');

# ---- A table of hot pages that is full of pinned ones; each index has some hundred pages
value(q{CREATE TABLE other AS TABLE t; CREATE INDEX other_p ON other USING xtree (p) WITH (strategy = streamed); VACUUM ANALYZE other});
value(q{DROP INDEX paged; SELECT pg_stat_xtree_reset()});
my $everywhere = q{SET enable_seqscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; DO $$ BEGIN FOR n IN 1 .. %d LOOP PERFORM count(i) FROM %s WHERE p <@ box(point(0, 0), point(500, 60 + n)); END LOOP; END $$};
value(sprintf $everywhere, 30, 't');
cycle();
my $tracked = value('SELECT count(*) FROM pg_stat_xtree_pages WHERE pinned');
# Not all 64 surely: the table has eight places for each of eight groups, one visit of 32 is noted, so a hundred samples or so may miss the last page that a
# group has room for; and more reading would not do, since the group of a page follows from the index's OID, which may leave a group less than eight pages.
cmp_ok($tracked, '>=', 56, 'nearly all tracked pages are pinned');
value(sprintf $everywhere, 5, 'other');
cmp_ok(value('SELECT count(*) FROM pg_stat_xtree_pages WHERE pinned'), '>=', $tracked, 'and keep their places while others are read');

# ---- Last uses: a session that began earlier notes its own later
my $holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(77)');
my $early = $node->background_psql('postgres');
$early->query_safe(q{SET enable_seqscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; BEGIN;
	DECLARE c CURSOR FOR SELECT i FROM t WHERE p <@ box '(0,0),(5,5)'; SET xtree.stop_point = 'registry-access:wait:77'});
$early->query_until(qr/fetching/, "\\echo fetching\nFETCH 1 FROM c;\n");
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)}) or die;
value(q{SET enable_seqscan = off; SET enable_indexonlyscan = off; SELECT count(i) FROM t WHERE p <@ box '(0,0),(5,5)'});
my $last = of('whole', 'last_access');
$holder->query_safe('SELECT pg_advisory_unlock(77)');
$early->query_safe('RESET xtree.stop_point');
is(of('whole', "last_access >= '$last'"), 't', 'the last use is not set back');
$early->query_safe('COMMIT');
$_->quit foreach $early, $holder;

# ---- Index-only scans alone
value(q{CREATE TABLE narrow AS TABLE t; CREATE INDEX narrow_p ON narrow USING xtree (p); VACUUM ANALYZE narrow});
my $only = q{SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM narrow WHERE p <@ box '(0,0),(49,49)'};
like(value($only =~ s/SELECT/EXPLAIN (COSTS OFF) SELECT/r), qr/Index Only Scan/, 'an index-only scan');
is(value($only), 2500, 'an index-only scan answers');
ok($node->poll_query_until('postgres', "SELECT state = 'loaded' FROM pg_stat_xtree_indexes WHERE indexrelname = 'narrow_p'"), 'and has its index loaded');
is(value($only), 2500, 'it answers again');
is(of('narrow_p', "mapped_reads || ' ' || (buffer_reads > 0)"), '0 true', 'through shared buffers');
cycle();
cmp_ok(of('narrow_p', 'pinned_bytes'), '>', 0, 'it is pinned');
my $running = $node->background_psql('postgres');
$running->query_safe(q{SET enable_seqscan = off; SET enable_bitmapscan = off; BEGIN; DECLARE c CURSOR FOR SELECT p FROM narrow WHERE p <@ box '(0,0),(49,49)'; FETCH 1 FROM c});
$node->safe_psql('postgres', q{ALTER SYSTEM SET xtree.memory_budget = 0});
cycle();
is(of('narrow_p', 'state'), 'loaded', 'not evicted while such a scan goes on');
ok($node->poll_query_until('postgres', "SELECT evictions = 1 FROM pg_stat_xtree_indexes WHERE indexrelname = 'whole'"), 'as others are');
$running->query_safe('COMMIT');
$running->quit;
cycle();
ok($node->poll_query_until('postgres', "SELECT state = 'registered' AND evictions = 1 FROM pg_stat_xtree_indexes WHERE indexrelname = 'narrow_p'"), 'and then it is');
value('ALTER SYSTEM RESET xtree.memory_budget');
cycle();

# ---- Locked memory for a part of an index
SKIP:
{
	skip 'no prlimit', 4 if system('prlimit --version >/dev/null 2>&1') != 0;
	my $postmaster = slurp_file($node->data_dir . '/postmaster.pid');
	$postmaster =~ s/\n.*//s;
	system_or_bail('prlimit', "--pid=$postmaster", '--memlock=262144:');
	my $old = worker_pid();
	kill 'TERM', $old;
	$node->poll_query_until('postgres', "SELECT pid IS NOT NULL AND pid <> $old FROM pg_stat_xtree_worker") or die 'no worker';
	value(q{SELECT xtree_load('whole')});
	value(q{SET enable_seqscan = off; SET enable_indexonlyscan = off; DO $$ BEGIN FOR n IN 1 .. 3000 LOOP PERFORM count(i) FROM t WHERE p <@ box '(0,0),(2,2)'; END LOOP; END $$});
	cycle();
	is(of('whole', "pinned_bytes BETWEEN 200000 AND 262144 AND size > 1000000"), 't', 'what fits is pinned');
	is(value(q{SELECT bool_and(pinned) FROM (SELECT pinned FROM pg_stat_xtree_pages WHERE indexrelname = 'whole' ORDER BY hotness DESC LIMIT 3) p}), 't', 'the hottest pages');
	like(value('SELECT last_pin_failure FROM pg_stat_xtree_memory'), qr/RLIMIT_MEMLOCK is too low/, 'and the rest is reported');
	$node->safe_psql('postgres', q{ALTER SYSTEM SET xtree.pin_memory_limit = '128kB'});
	cycle();
	is(of('whole', 'pinned_bytes'), 131072, 'likewise within the setting');
}

# ---- Reads from disk through a mapping. The page cache of the file is emptied while nobody maps it; one fault may read some megabytes ahead.
value(q{CREATE TABLE large AS SELECT i, point(i % 1000, i / 1000) AS p FROM generate_series(0, 299999) i;
	CREATE INDEX large_p ON large USING xtree (p) WITH (strategy = paged); VACUUM ANALYZE large; CHECKPOINT});
value(q{SELECT xtree_load('large_p')});
$node->poll_query_until('postgres', q{SELECT state = 'loaded' AND (SELECT state = 'idle' FROM pg_stat_xtree_worker) FROM pg_stat_xtree_indexes WHERE indexrelname = 'large_p'}) or die;
my $path = $node->data_dir . '/' . value(q{SELECT pg_relation_filepath('large_p')});
system("sync; dd if=$path iflag=nocache count=0 2>/dev/null");
sub buffers
{
	# The planner's look at the tree would be counted among the index's reads.
	my $plan = value(q{SET xtree.estimate_rows = off; SET enable_seqscan = off; SET enable_indexscan = off; EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF)
		SELECT count(i) FROM large WHERE p <@ box '(100,100),(400,160)'});
	my ($line) = $plan =~ /Bitmap Index Scan.*?\n.*?\n\s+Buffers: (.*?)\n/s or die $plan;
	return map { $line =~ /$_=(\d+)/ ? $1 : 0 } 'hit', 'read';
}
SKIP:
{
	# What the worker keeps locked stays.
	my ($resident) = qx(fincore -b -n -o RES $path 2>/dev/null) =~ /(\d+)/;
	skip 'the page cache cannot be emptied here', 5 if !defined $resident || $resident > (-s $path) / 2;
	value(q{SELECT pg_stat_xtree_reset('large_p'), pg_stat_reset_single_table_counters('large_p'::regclass)});
	my ($hit, $read) = buffers();
	cmp_ok($read, '>', 0, "a first scan reads from disk: $hit hits, $read reads");
	is(of('large_p', "mapped_share || ' ' || (abs(hit_rate - $hit / ($hit + $read)::float8) < 1e-6)"), '1 true', 'the share of hits is that, all through the mapping');
	is($node->poll_query_until('postgres', "SELECT idx_blks_read = $read FROM pg_statio_user_indexes WHERE indexrelname = 'large_p'"), 1, 'and pg_statio says so');
	my ($session_hit, $session_read) = buffers();
	is($session_read, 0, 'a second scan, by another session, finds all in memory');
	is($session_hit, $hit + $read, 'the same pages');
}

$node->stop;
done_testing();
