# The background worker: admission, eviction (idle, budget, quota, on request) also from idle sessions, pins within the limits, lost and
# damaged files, dropped indexes, its own errors and ends, shutdown, preloading, statistics over restarts, a standby and its promotion.
# Seen to fail: without the catch-up signal, the release of pins, or the write-back before the page cache is dropped; with running scans evicted,
# the warm pool or quotas ignored, the order of use reversed; with mlock() left out, limits or refusals ignored, whole paged indexes pinned;
# with counters taken over after a crash, no checksum of the statistics file, no preloading, no verification; with drops noted that
# were rolled back, dropped databases not noted, replaced files kept; with a worker that does not serve barriers, SIGTERM or errors, ends with
# status 0, or admits in recovery.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('worker');
$node->init(allows_streaming => 1, extra => ['--data-checksums']);
$node->append_conf('postgresql.conf', <<'CONF');
wal_keep_size = 4GB
shared_preload_libraries = xtree
xtree.naptime = 200ms
xtree.map_after = 0
xtree.idle_timeout = 0
autovacuum = off
statement_timeout = 60s
restart_after_crash = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');

sub value { return $node->safe_psql('postgres', $_[0]); }

# A column of an index's row.
sub of { my ($index, $column) = @_; return value("SELECT $column FROM pg_stat_xtree_indexes WHERE indexrelname = '$index'"); }

sub becomes
{
	my ($index, $condition, $what) = @_;
	my $query = "SELECT ($condition) IS TRUE FROM pg_stat_xtree_indexes WHERE indexrelname = '$index'";
	my $done = $node->poll_query_until('postgres', $query);
	ok($done, $what) or diag(value("SELECT row_to_json(s) FROM pg_stat_xtree_indexes s WHERE indexrelname = '$index'"));
	return $done;
}

sub set
{
	my (%setting) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $_ = '$setting{$_}'") foreach keys %setting;
	$node->reload;
}

sub reset_settings { $node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL'); $node->reload; }

sub make_table
{
	my ($name, $options, $database) = @_;
	$node->safe_psql($database // 'postgres', "CREATE TABLE $name AS SELECT point(i % 500, i / 500) AS p, i FROM generate_series(0, 49999) i;
		CREATE INDEX ${name}_x ON $name USING xtree (p)" . ($options // ''));
}

# Reads the index through the table's heap; 2,500 rows.
sub question { return "SET enable_seqscan = off; SELECT count(i) FROM $_[0] WHERE p <@ box '(0,0),(49,49)'"; }
my $answer = 2500;

sub worker_pid { return value('SELECT pid FROM pg_stat_xtree_worker'); }
sub wait_for_worker
{
	my ($not) = @_;
	$node->poll_query_until('postgres', "SELECT pid IS NOT NULL AND pid <> $not FROM pg_stat_xtree_worker") or die 'no worker';
	return worker_pid();
}
sub locked_kilobytes
{
	my ($line) = grep { /^VmLck:/ } split /\n/, slurp_file('/proc/' . worker_pid() . '/status');
	return $line =~ /(\d+)/ ? $1 : die 'no VmLck';
}

# ---- Admission
make_table($_) foreach 't1' .. 't4';
my $bytes = value(q{SELECT pg_relation_size('t1_x')});
is(of('t1_x', 'state'), 'registered', 'an untouched index is registered');
is(value(question('t1')), $answer, 'answer while it is loaded');
becomes('t1_x', "state = 'loaded' AND strategy = 'resident'", 'the first scan has it loaded');
becomes('t1_x', "resident_bytes = $bytes", 'a resident index is in the page cache');
is(value("SELECT count(*) FROM pg_stat_xtree_events WHERE kind = 'admit' AND indexrelname = 't1_x'"), 1, 'its admission is an event');
is(value(question('t1')), $answer, 'answer through the mapping');
cmp_ok(of('t1_x', 'mapped_reads'), '>', 0, 'pages were read through the mapping');

# ---- Idle eviction, from sessions that do nothing, and in a transaction; a running scan is not disturbed
my $idle = $node->background_psql('postgres');
my $in_transaction = $node->background_psql('postgres');
is($idle->query_safe(question('t1')), $answer, 'a session that will be idle');
$in_transaction->query_safe('BEGIN');
is($in_transaction->query_safe(question('t1')), $answer, 'a session that will be idle in a transaction');
is(of('t1_x', 'backends'), 2, 'both have it mapped');
my $generation = of('t1_x', 'evictions');
set('xtree.idle_timeout' => '1s');
becomes('t1_x', "state = 'registered' AND evictions = $generation + 1", 'an idle index is evicted');
is(of('t1_x', 'backends'), 0, 'no idle session has it mapped any more');
# But for what the server has written from its buffers since; that nothing remained is what the event says.
cmp_ok(of('t1_x', 'resident_bytes'), '<=', $bytes / 20, 'nothing of it is in the page cache');
is(of('t1_x', 'pinned_bytes'), 0, 'nothing of it is pinned');
like(value("SELECT reason FROM pg_stat_xtree_events WHERE kind = 'evict' ORDER BY number DESC LIMIT 1"), qr/^idle; 0 bytes remain/, 'and the event says so');
is($idle->query_safe(question('t1')), $answer, 'the idle session reads on');
is($in_transaction->query_safe(question('t1')), $answer, 'and so does the one in a transaction');
becomes('t1_x', "state = 'registered'", 'evicted again');

my $cursor = $node->background_psql('postgres');
value(question('t2'));
becomes('t2_x', "state = 'loaded'", 'loaded for a cursor');
$cursor->query_safe("SET enable_seqscan = off; SET enable_bitmapscan = off; SET cursor_tuple_fraction = 0.01;
	BEGIN; DECLARE c CURSOR FOR SELECT i FROM t2 WHERE p <@ box '(0,0),(49,49)'; MOVE 10 IN c");
usleep(1_800_000);
is(of('t2_x', 'state'), 'loaded', 'an index with a running scan is not idle');
set('xtree.idle_timeout' => '0');

# ---- On request
my ($status, $out, $error) = $node->psql('postgres', q{SELECT xtree_unload('t2_x')});
is($out, 'f', 'xtree_unload does not wait for a running scan');
is(of('t2_x', 'state'), 'unloading', 'which goes on');
is(value(question('t2')), $answer, 'other scans use buffers meanwhile');
my $rest = $cursor->query_safe('FETCH ALL FROM c');
is(scalar(split /\n/, $rest), $answer - 10, 'the running scan returned every row');
$cursor->query_safe('COMMIT');
becomes('t2_x', "state = 'registered' AND unloads = 1 AND resident_bytes = 0", 'unloaded when it had ended');
$cursor->quit;
value(q{SELECT xtree_load('t1_x'), xtree_load('t2_x')});
is(value(q{SELECT xtree_unload('t1_x')}), 't', 'xtree_unload also from idle sessions');
is(of('t1_x', 'resident_bytes'), 0, 'and out of the page cache');
is($idle->query_safe(question('t1')), $answer, 'read again');
$idle->quit;
$in_transaction->query_safe('COMMIT');
$in_transaction->quit;

# ---- Budget: least recently used first, until a tenth is free; the warm pool stays
foreach my $table ('t1' .. 't4')
{
	value(question($table));
	becomes("${table}_x", "state = 'loaded' AND resident_bytes = $bytes", "$table loaded");
	value(question($table));
}
set('xtree.memory_budget' => int(3.5 * $bytes / 1024) . 'kB');
becomes('t1_x', "state = 'registered' AND resident_bytes = 0", 'over budget: the least recently used index is evicted');
usleep(500_000);
is(of("t${_}_x", 'state'), 'loaded', "t$_ stays") foreach 2 .. 4;
cmp_ok(value('SELECT resident_bytes FROM pg_stat_xtree_memory'), '<=', 3.5 * $bytes, 'the budget holds for what is resident');
set('xtree.memory_budget' => '0', 'xtree.warm_pool' => 2);
becomes('t2_x', "state = 'registered'", 'no budget at all');
usleep(500_000);
is(of('t2_x', 'state') . of('t3_x', 'state') . of('t4_x', 'state'), 'registeredloadedloaded', 'the warm pool is never evicted');
set('xtree.warm_pool' => 0);
becomes('t4_x', "state = 'registered'", 'without a warm pool it is');
is(value(question('t4')), $answer, 'with a budget of nothing queries still work');
cmp_ok(value('SELECT evicted_bytes FROM pg_stat_xtree_memory'), '>=', 4 * $bytes, 'evicted bytes are counted');
reset_settings();

# ---- Quota, strategies
make_table('quota', q{ WITH (memory_quota = '64kB')});
value(question('quota'));
becomes('quota_x', 'evictions > 0', 'an index over its quota is evicted');
is(value("SELECT split_part(reason, ';', 1) FROM pg_stat_xtree_events WHERE indexrelname = 'quota_x' AND kind = 'evict' LIMIT 1"), 'memory quota', 'for that reason');
make_table('paged', ' WITH (strategy = paged)');
make_table('streamed', ' WITH (strategy = streamed)');
$node->safe_psql('postgres', 'CHECKPOINT');
foreach my $strategy ('paged', 'streamed')
{
	value("SELECT xtree_load('${strategy}_x')");
	value("SELECT xtree_unload('${strategy}_x')");
	is(of("${strategy}_x", 'resident_bytes'), 0, "$strategy: nothing in the page cache");
	value("SELECT xtree_load('${strategy}_x')");
	becomes("${strategy}_x", "state = 'loaded' AND strategy = '$strategy'", "loaded as $strategy");
}
becomes('paged_x', "pinned_bytes BETWEEN 1 AND $bytes / 10", 'directory pages of a paged index are pinned');
is(of('streamed_x', 'pinned_bytes'), 0, 'nothing of a streamed index is pinned');
# The kernel knows which of them a session reads here and there (VmFlags of proc(5): rr), and reads nothing around their pages.
value(q{SELECT xtree_unload('t4_x'), xtree_load('t4_x')});
becomes('t4_x', "strategy = 'resident'", 'a whole one');
my $reader = $node->background_psql('postgres');
$reader->query_safe('SET xtree.map_after = 0');
foreach my $table ('t4', 'paged', 'streamed')
{
	$reader->query_safe(question($table));
	my $file = value("SELECT pg_relation_filepath('${table}_x')");
	my ($flags) = slurp_file('/proc/' . $reader->query_safe('SELECT pg_backend_pid()') . '/smaps') =~ m{/\Q$file\E\n.*?^VmFlags: ([^\n]*)}ms;
	is($flags =~ /\brr\b/ ? 'alone' : 'with others', $table eq 't4' ? 'with others' : 'alone', "how absent pages of $table are read");
}
$reader->quit;
set('xtree.resident_threshold' => '100kB');
value(q{SELECT xtree_load('t1_x')});
becomes('t1_x', "strategy = 'paged'", 'the strategy follows the thresholds');
set('xtree.paged_threshold' => '100kB');
value(q{SELECT xtree_unload('t1_x'), xtree_load('t1_x')});
becomes('t1_x', "strategy = 'streamed'", 'for larger ones as well');
reset_settings();

# ---- Pins
value(q{SELECT xtree_unload('t1_x'), xtree_load('t1_x')});
becomes('t1_x', "pinned_bytes = $bytes", 'a resident index is pinned whole');
$node->poll_query_until('postgres', 'SELECT sum(i.pinned_bytes) = max(m.pinned_bytes) FROM pg_stat_xtree_indexes i, pg_stat_xtree_memory m');
is(locked_kilobytes(), value('SELECT pinned_bytes / 1024 FROM pg_stat_xtree_memory'), 'what is shown as pinned is locked');
set('xtree.pin_memory_limit' => '64kB');
$node->poll_query_until('postgres', 'SELECT pinned_bytes <= 65536 FROM pg_stat_xtree_memory') or die;
cmp_ok(locked_kilobytes(), '<=', 64, 'a lower limit unlocks');
set('xtree.pin_memory_limit' => '0');
$node->poll_query_until('postgres', 'SELECT pinned_bytes = 0 FROM pg_stat_xtree_memory') or die;
is(locked_kilobytes(), 0, 'pinning is turned off');
reset_settings();
becomes('t1_x', "pinned_bytes = $bytes", 'and on again');
cmp_ok(value(q{SELECT xtree_unpin('t1_x')}), '>=', $bytes, 'xtree_unpin says what was pinned');
usleep(600_000);
is(of('t1_x', 'pinned_bytes'), 0, 'it stays unpinned');
value(q{SELECT xtree_unload('t1_x'), xtree_load('t1_x')});
becomes('t1_x', "pinned_bytes = $bytes", 'until it is loaded anew');

# ---- The operating system's limit, and the worker's end by SIGTERM
my $postmaster = slurp_file($node->data_dir . '/postmaster.pid');
$postmaster =~ s/\n.*//s;
SKIP:
{
	skip 'no prlimit', 3 if system('prlimit --version >/dev/null 2>&1') != 0;
	system_or_bail('prlimit', "--pid=$postmaster", '--memlock=65536:');
	my $old = worker_pid();
	kill 'TERM', $old;
	wait_for_worker($old);
	$node->poll_query_until('postgres', 'SELECT pin_failures > 0 FROM pg_stat_xtree_memory') or die;
	like(value('SELECT last_pin_failure FROM pg_stat_xtree_memory'), qr/RLIMIT_MEMLOCK is too low/, 'a low limit is reported');
	is(value('SELECT memlock_limit FROM pg_stat_xtree_memory'), 65536, 'and shown');
	cmp_ok(locked_kilobytes(), '<=', 64, 'and kept');
}
my $old = worker_pid();
kill 'TERM', $old;
isnt(wait_for_worker($old), $old, 'a terminated worker is started again');
is(value(q{SELECT xtree_unload('t1_x')}), 't', 'and serves requests');

# ---- Errors of the worker
SKIP:
{
	skip 'the library was built without stop points (make STOP_POINTS=1)', 3
	  if !defined eval { value(q{LOAD 'xtree'; SHOW xtree.stop_point}) };
	set('xtree.stop_point' => 'worker-round:error');
	$node->poll_query_until('postgres', q{SELECT last_error LIKE 'stopped at%' FROM pg_stat_xtree_worker}) or die;
	is(worker_pid() > 0, 1, 'the worker survives an error');
	cmp_ok(value("SELECT count(*) FROM pg_stat_xtree_events WHERE kind = 'worker'"), '>', 0, 'the error is an event');
	reset_settings();
	value(question('t1'));
	becomes('t1_x', "state = 'loaded'", 'and it goes on');
}

# ---- Dropped and replaced files
$node->safe_psql('postgres', 'BEGIN; DROP INDEX t4_x; ROLLBACK; BEGIN; SAVEPOINT a; DROP INDEX t4_x; ROLLBACK TO a; COMMIT');
usleep(500_000);
is(of('t4_x', 'scans > 0'), 't', 'an index whose drop was rolled back keeps its statistics');
my $t3 = value("SELECT 't3_x'::regclass::oid");
$node->safe_psql('postgres', 'BEGIN; SAVEPOINT a; DROP INDEX t3_x; RELEASE a; COMMIT');
ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_xtree_events WHERE kind = 'removed' AND reason = 'dropped' AND indexrelid = $t3)"),
	'a dropped index leaves the table');
my $holder = $node->background_psql('postgres');
$holder->query_safe(question('t1'));
$holder->query_safe(question('t1'));
$node->safe_psql('postgres', 'REINDEX INDEX t1_x');
becomes('t1_x', 'backends = 0', 'a replaced file is let go of in idle sessions');
is($holder->query_safe(question('t1')), $answer, 'which find the new one');
$holder->quit;

$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION xtree');
make_table('o', '', 'other');
$node->safe_psql('other', question('o'));
$node->safe_psql('other', q{SELECT xtree_load('o_x')});
usleep(600_000);
my $registered = value('SELECT registered FROM pg_stat_xtree_memory');
my $begin = time;
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE other');
$node->safe_psql('postgres', 'DROP DATABASE copy');
$node->safe_psql('postgres', 'DROP DATABASE other');
cmp_ok(time - $begin, '<', 60, 'databases with loaded indexes are copied and dropped');
ok($node->poll_query_until('postgres', "SELECT registered = $registered - 1 FROM pg_stat_xtree_memory"), 'indexes of a dropped database leave the table');
my $place = $node->basedir . '/place';
mkdir $place;
$node->safe_psql('postgres', "CREATE TABLESPACE place LOCATION '$place'");
$node->safe_psql('postgres', 'ALTER INDEX t2_x SET TABLESPACE place');
value(question('t2'));
becomes('t2_x', "state = 'loaded'", 'loaded from a tablespace');
$node->safe_psql('postgres', 'ALTER INDEX t2_x SET TABLESPACE pg_default');
$node->safe_psql('postgres', 'DROP TABLESPACE place');
pass('DROP TABLESPACE does not hang');
is(value(question('t2')), $answer, 'and the index is where it was');

# ---- Preload and statistics over a clean restart
make_table('eager', ' WITH (preload = on)');
value(question('eager'));
becomes('eager_x', "state = 'loaded' AND preload", 'an index to preload');
my $scans = of('eager_x', 'scans');
my $t2_scans = of('t2_x', 'scans');
cmp_ok($t2_scans, '>', 0, 'scans were counted');
$begin = time;
$node->stop('fast');
cmp_ok(time - $begin, '<', 2, 'the worker does not hold up a shutdown');
my $log = -s $node->logfile;
$node->start;
becomes('eager_x', "state = 'loaded' AND resident_bytes = $bytes", 'it is loaded at the start, untouched');
is(of('eager_x', 'scans'), $scans, 'its counters are kept');
is(of('t2_x', 'scans') . of('t2_x', 'state'), $t2_scans . 'registered', 'those of others too, which are not loaded');
my $oid = value("SELECT 'eager_x'::regclass::oid");
like(slurp_file($node->logfile, $log), qr/xtree index with OID $oid of the database .* preloaded/, 'the start is reported');
like(slurp_file($node->logfile, $log), qr/xtree worker started: \d+ indexes are known, \d+ kB, 1 of them to be preloaded/, 'in sum');

# ---- kill -9 of the worker; a crash keeps the list, not the counters
$log = -s $node->logfile;
kill 'KILL', worker_pid();
$node->wait_for_log(qr/ready to accept connections/, $log);
$node->poll_query_until('postgres', 'SELECT true') or die;
becomes('eager_x', "state = 'loaded'", 'preloaded after a crash');
is(of('eager_x', 'scans'), 0, 'counters begin anew after a crash');
is(value(question('t2')), $answer, 'and queries answer');
value(q{SELECT xtree_check('t2_x', true), xtree_check('eager_x', true)});

# ---- A damaged statistics file
my $file = $node->data_dir . '/pg_stat/xtree.stat';
$node->stop('fast');
my $content = slurp_file($file);
foreach my $damage ([ 'checksum is wrong', sub { substr $_[0], 100, 1, chr(255 ^ ord substr $_[0], 100, 1) } ],
	[ 'too short', sub { $_[0] = 'x' } ], [ 'length is wrong', sub { $_[0] .= 'more' } ], [ 'another kind', sub { substr $_[0], 0, 1, '?' } ])
{
	my ($what, $change) = @$damage;
	my $bad = $content;
	$change->($bad);
	unlink $file;
	append_to_file($file, $bad);
	$log = -s $node->logfile;
	$node->start;
	wait_for_worker(0);
	$node->wait_for_log(qr/xtree worker started: 0 indexes/, $log);
	like(slurp_file($node->logfile, $log), qr/LOG:  ignoring file "pg_stat\/xtree.stat": it.*$what/, "a damaged file: $what");
	$node->stop('fast');
}
$node->start;

# ---- Verification of pages
set('xtree.verify_on_load' => 'on');
value(question('t2'));
becomes('t2_x', "state = 'loaded'", 'good pages pass');
my $path = $node->data_dir . '/' . value(q{SELECT pg_relation_filepath('t1_x')});
$node->stop('fast');
open my $handle, '+<:raw', $path or die;
seek $handle, 7 * 8192 + 4000, 0;
print $handle 'damaged';
close $handle;
$node->start;
($status, $out, $error) = $node->psql('postgres', q{SELECT xtree_load('t1_x')});
like($error, qr/block 7: wrong checksum/, 'a damaged page is found');
is(of('t1_x', "state || ': ' || last_error"), 'failed: block 7: wrong checksum', 'and shown');
set('xtree.verify_on_load' => 'off');
is(value(q{SELECT xtree_load('t1_x')}), 't', 'without verification it is loaded');
truncate $path, 3 * 8192 or die;
($status, $out, $error) = $node->psql('postgres', question('t1'));
isnt($status, 0, 'a truncated file is an error of the query');
usleep(1_000_000);
is(value('SELECT count(*) FROM pg_stat_xtree_worker WHERE pid IS NOT NULL AND last_error IS NULL'), 1, 'the worker bears it');
$node->safe_psql('postgres', 'REINDEX INDEX t1_x');
reset_settings();
is(value(question('t1')), $answer, 'rebuilt');

# ---- A standby reads ahead, and admits after its promotion
value(question('eager'));
becomes('eager_x', "state = 'loaded' AND preload", 'the index to preload is known again');
usleep(500_000);
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$standby->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_xtree_events WHERE reason LIKE 'read ahead in recovery%')") or die;
pass('a standby reads preloaded indexes ahead');
is($standby->safe_psql('postgres', question('eager')), $answer, 'and answers');
is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_xtree_indexes WHERE state = 'loaded'"), 0, 'nothing is loaded there');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die;
is($standby->safe_psql('postgres', question('eager')), $answer, 'a scan after the promotion');
$standby->poll_query_until('postgres', "SELECT state = 'loaded' FROM pg_stat_xtree_indexes WHERE indexrelname = 'eager_x'") or die;
pass('has it loaded');
$standby->safe_psql('postgres', q{SELECT xtree_check('eager_x', true)});
$standby->stop('fast');
$node->stop('fast');
done_testing();
