# An index on every kind of server that is made of another one's files and log. Each of them answers from the index as from its table,
# and passes xtree_check with every row:
#  - a base backup taken under writes, a standby that preloads the library, and one below it that does not
#  - recovery conflicts are nbtree's: a page that VACUUM has emptied and a split uses again cancels a standby's query that may be on its
#    way to it, and nothing else does; with hot_standby_feedback the page is left alone
#  - recovery to a named restore point; promotion; the old primary, with changes of its own, follows by pg_rewind
#  - mapped reads on servers that were promoted or rewound; pg_checksums over the index, which notices a damaged byte as scans do
# Seen to fail: without the record of a page's reuse (the standby's query is not cancelled); with pages given out again although a standby's
# snapshot may reach them; with files admitted before they are written (stale answers of a server that has just loaded).
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, has_archiving => 1, no_data_checksums => 1);
$primary->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
xtree.naptime = '100ms'
xtree.map_after = 0
xtree.idle_timeout = 0
xtree.cached_page_cost = 1
autovacuum = off
wal_log_hints = on
wal_keep_size = '1GB'
wal_receiver_status_interval = '1s'
max_standby_streaming_delay = '100ms'
max_standby_archive_delay = '100ms'
CONF
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION xtree;
	CREATE TABLE t (id int, p point, b box, k int);
	CREATE INDEX t_p ON t USING xtree (p);
	CREATE INDEX t_all ON t USING xtree (p, b, k) WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 5)});

my $rows = 0;
sub insert_more
{
	my ($more) = @_;
	my $from = $rows + 1;
	$rows += $more;
	return "INSERT INTO t SELECT i, point(random() * 100, random() * 100),
		CASE WHEN i % 9 > 0 THEN box(point(random() * 90, random() * 90), point(random() * 99, random() * 99)) END, i % 50 FROM generate_series($from, $rows) i;";
}
my $changes = q{DELETE FROM t WHERE p <@ box '(0,0),(30,90)' AND k < 40; UPDATE t SET k = k + 1 WHERE id % 7 = 0; VACUUM t;};
# Each of the indexes has a query that only it can answer, or better, whichever is in memory.
my $queries = q{SELECT count(*), sum(id) FROM t WHERE p <@ box '(10,10),(70,60)';
	SELECT count(*), sum(id) FROM t WHERE b && box '(20,20),(40,40)' AND k < 30; SELECT count(*), sum(id) FROM t};

sub answers { my ($server) = @_; return $server->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; $queries") }

# Returns what the table holds.
sub agrees
{
	my ($server, $what) = @_;
	my $table = answers($server);
	is($server->safe_psql('postgres', "SET enable_seqscan = off; SET enable_indexonlyscan = off; $queries"), $table, "$what: the index answers as the table does");
	is($server->safe_psql('postgres', q{SELECT xtree_check('t_p', true), xtree_check('t_all', true)}), '|', "$what: xtree_check");
	return $table;
}

sub follows
{
	my ($server, $of, $what) = @_;
	my $lsn = $of->lsn('insert');
	$server->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() >= '$lsn'") or die "$what: the standby does not follow";
	is(agrees($server, $what), answers($of), "$what: as on the server that it follows");
}

# What is right of mapped reads of indexes that nobody has loaded yet: loaded, read, and the same answers as the table's, for what is in the file and what is not yet.
sub maps
{
	my ($server, $what) = @_;
	$server->safe_psql('postgres', insert_more(300));
	is($server->safe_psql('postgres', q{SELECT xtree_load('t_p'), xtree_load('t_all')}), 't|t', "$what: the indexes are loaded");
	agrees($server, "$what, loaded");
	$server->safe_psql('postgres', insert_more(300));
	agrees($server, "$what, with changes since");
	# Pages that were changed since the last checkpoint are not mapped, and a busy worker may notice late that there was one.
	my $mapped = sub { $server->safe_psql('postgres', q{SELECT min(mapped_reads) FROM pg_stat_xtree_indexes WHERE relname = 't'}) };
	for (1 .. 60)
	{
		last if $mapped->() > 0;
		$server->safe_psql('postgres', 'CHECKPOINT');
		sleep 1;
		$server->safe_psql('postgres', "SET enable_seqscan = off; SET enable_indexonlyscan = off; $queries");
	}
	cmp_ok($mapped->(), '>', 0, "$what: through the mapping");
}

# A base backup under writes.
$primary->safe_psql('postgres', insert_more(15000));
my $load = join "\n", map { insert_more(400) . $changes } 1 .. 10;
my $writer = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $primary->connstr('postgres') ], '<', \$load, IPC::Run::timeout(120));
$primary->backup('base');
ok($writer->finish, 'the writer wrote on');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
my $leaf = PostgreSQL::Test::Cluster->new('cascaded');
$leaf->init_from_backup($primary, 'base');
$leaf->enable_streaming($standby);
$leaf->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$leaf->start;
$primary->safe_psql('postgres', insert_more(2000) . $changes);
follows($standby, $primary, 'standby');
follows($leaf, $primary, 'standby of a standby, without preload');

# Named restore point. What happens after it must not be there.
my $remembered = answers($primary);
$primary->safe_psql('postgres', q{SELECT pg_create_restore_point('before')});
$primary->safe_psql('postgres', insert_more(2000) . $changes . 'REINDEX INDEX t_p');
my $segment = $primary->safe_psql('postgres', 'SELECT pg_walfile_name(pg_current_wal_lsn())');
$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');

# A query on the standby, and a page that its snapshot may reach is used again. Heap and index are quiet but for that.
sub conflict
{
	my ($access_method, $columns) = @_;
	$primary->safe_psql('postgres', qq{DROP TABLE IF EXISTS recycled;
		CREATE TABLE recycled (k int, pad int);
		CREATE INDEX recycled_k ON recycled USING $access_method (k);
		INSERT INTO recycled SELECT i FROM generate_series(1, 20000) i;
		DELETE FROM recycled WHERE k BETWEEN 2000 AND 18000});
	# What the standby last told may be a second old.
	my $now = $primary->safe_psql('postgres', 'SELECT txid_current()');
	$primary->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_replication WHERE backend_xmin::text::int8 < $now") or die 'old feedback';
	$primary->safe_psql('postgres', 'VACUUM recycled');
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	my ($in, $out, $error) = ("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_seqscan = off; SELECT 'first ' || count(*) FROM recycled WHERE k > 0;\n", '', '');
	my $reader = IPC::Run::start([ 'psql', '-XAtq', '-d', $standby->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$error, IPC::Run::timeout(120));
	$reader->pump until $out =~ /first 3999/;
	if ($standby->safe_psql('postgres', 'SHOW hot_standby_feedback') eq 'on')
	{
		$primary->poll_query_until('postgres', 'SELECT count(*) > 0 FROM pg_stat_replication WHERE backend_xmin IS NOT NULL') or die 'no feedback';
	}
	my $from = $primary->lsn('insert');
	# Transaction numbers pass by; VACUUM finds the pages free, as far as it knows of snapshots; splits ask for pages.
	$primary->safe_psql('postgres', q{SELECT txid_current(); SELECT txid_current()});
	$primary->safe_psql('postgres', q{VACUUM recycled});
	$primary->safe_psql('postgres', q{INSERT INTO recycled SELECT 30000 + i FROM generate_series(1, 5000) i});
	my $to = $primary->lsn('flush');
	$primary->wait_for_catchup($standby, 'replay', $to);
	my ($log) = run_command([ 'pg_waldump', '-p', $primary->data_dir . '/pg_wal', '-s', $from, '-e', $to ]);
	my $reused = () = $log =~ /REUSE/g;
	$in .= "SELECT 'second ' || count(*) FROM recycled WHERE k > 0;\n\\q\n";
	$reader->finish;
	return ($reused > 0, $out =~ /second 3999/ ? 'answered' : $error =~ /conflict with recovery/ ? 'cancelled' : "neither: $out $error");
}
foreach my $feedback ('off', 'on')
{
	$standby->append_conf('postgresql.conf', "hot_standby_feedback = $feedback");
	$standby->reload;
	my @nbtree = conflict('btree');
	my @xtree = conflict('xtree');
	is_deeply(\@xtree, $feedback eq 'off' ? [ 1, 'cancelled' ] : [ '', 'answered' ], "hot_standby_feedback = $feedback: a page's reuse, and the standby's query");
	is_deeply(\@nbtree, \@xtree, "hot_standby_feedback = $feedback: as with nbtree");
}
follows($standby, $primary, 'after conflicts');

# Recovery to the restore point.
$primary->poll_query_until('postgres', "SELECT last_archived_wal >= '$segment' FROM pg_stat_archiver") or die 'the log is not archived';
my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init_from_backup($primary, 'base', has_restoring => 1, standby => 0);
$restored->append_conf('postgresql.conf', "recovery_target_name = 'before'\nrecovery_target_action = 'promote'\narchive_mode = off");
$restored->start;
$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'the restored server does not come up';
{
	# A scan would have the indexes loaded before maps() writes into each of their pages.
	local $ENV{PGOPTIONS} = '-c xtree.use_mmap=off';
	is(agrees($restored, 'restored'), $remembered, 'restored: what was there at the restore point');
}
maps($restored, 'restored');
$restored->stop('immediate');

# Failover; the old primary goes on for a while, and is then rewound.
$standby->promote;
maps($standby, 'promoted');
$primary->safe_psql('postgres', insert_more(3000) . $changes);
is($primary->safe_psql('postgres', q{SELECT xtree_load('t_p'), xtree_load('t_all')}), 't|t', 'the old primary is written on and has loaded its indexes');
$standby->safe_psql('postgres', insert_more(3000) . $changes . 'CHECKPOINT');
follows($leaf, $standby, 'below the promoted server');
$primary->stop;
my $settings = slurp_file($primary->data_dir . '/postgresql.conf');
command_ok([ 'pg_rewind', '--source-server', $standby->connstr('postgres'), '--target-pgdata', $primary->data_dir, '--no-sync' ], 'pg_rewind');
open my $out, '>', $primary->data_dir . '/postgresql.conf' or die $!;
print $out $settings, "archive_mode = off\n";
close $out;
$primary->enable_streaming($standby);
$primary->set_standby_mode;
$primary->start;
$standby->safe_psql('postgres', insert_more(1000) . $changes);
follows($primary, $standby, 'rewound');
$leaf->stop;
$standby->stop;
$primary->promote;
maps($primary, 'rewound and promoted');

# Checksums.
my $file = $primary->data_dir . '/' . $primary->safe_psql('postgres', q{SELECT pg_relation_filepath('t_p')});
$primary->stop;
command_ok([ 'pg_checksums', '--enable', '--no-sync', '-D', $primary->data_dir ], 'pg_checksums --enable');
$primary->start;
maps($primary, 'with checksums');
$primary->safe_psql('postgres', insert_more(2000) . $changes);
agrees($primary, 'with checksums, written');
$primary->stop;
command_ok([ 'pg_checksums', '--check', '-D', $primary->data_dir ], 'pg_checksums --check');
open my $damaged, '+<:raw', $file or die $!;
seek $damaged, 8192 + 100, 0;    # an entry of the root
read $damaged, my $byte, 1;
seek $damaged, 8192 + 100, 0;
print $damaged chr(255 - ord $byte);
close $damaged;
command_fails_like([ 'pg_checksums', '--check', '-D', $primary->data_dir ], qr/checksum verification failed in file .*block 1\b/, 'pg_checksums --check notices a damaged byte');
$primary->start;
my (undef, undef, $error) = $primary->psql('postgres', q{SET enable_seqscan = off; SELECT count(*) FROM t WHERE p <@ box '(10,10),(70,60)'});
like($error, qr/invalid page in block 1 of relation/, 'so does a scan');
$primary->safe_psql('postgres', 'REINDEX INDEX t_p');
agrees($primary, 'after REINDEX');
$primary->stop;
done_testing();
