# Counters of indexes as a kind of the server's cumulative statistics: PostgreSQL 18 and newer, with shared_preload_libraries. Restarts, resets, drops and what rolls
# them back, databases, a crash, a standby that does not preload the library.
# Seen to fail: with counters kept in our own file, too; with entries not written to the server's file; with a view that shows only what is in our own
# table; with drops not told to the server; with statistics of indexes that were rolled back kept.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('server_statistics');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = xtree
xtree.naptime = 100ms
xtree.idle_timeout = 0
autovacuum = off
max_prepared_transactions = 5
wal_keep_size = 1GB
CONF
$node->start;
if ($node->pg_version < 18)
{
	$node->stop;
	plan skip_all => 'PostgreSQL 18 and newer have kinds of statistics';
}

sub sql { return $node->safe_psql($_[1] // 'postgres', $_[0]); }

my $scan = q{SET enable_seqscan = off; SET enable_indexonlyscan = off};
my $query = q{SELECT count(*) FROM points WHERE p <@ box '(0,0),(20,20)' AND id > 0};
my $shown = q{SELECT concat_ws('|', scans, tuples, mapped_reads + buffer_reads, first_access, last_access) FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'};

# Index, database.
sub scans { return sql("SELECT scans FROM pg_stat_xtree_indexes WHERE indexrelname = '" . ($_[0] // 'points_xtree') . q{'}, $_[1]); }

# By OIDs.
sub has_stats { return sql("SELECT pg_stat_have_stats('xtree_index', $_[0], $_[1])"); }

my %database;
for my $name (qw(postgres elsewhere))
{
	sql('CREATE DATABASE elsewhere TEMPLATE template0') if $name eq 'elsewhere';
	sql(q{CREATE EXTENSION xtree; CREATE TABLE points AS SELECT i AS id, point(i % 100, i / 100) AS p FROM generate_series(1, 10000) i;
		CREATE INDEX points_xtree ON points USING xtree (p); CREATE INDEX points_other ON points USING xtree (id, p); VACUUM ANALYZE points}, $name);
	$database{$name} = { map { /(.*)\|(.*)/ } split /\n/, sql(q{SELECT 'database', oid FROM pg_database WHERE datname = current_database()
		UNION ALL SELECT relname, oid FROM pg_class WHERE relname ~ '^points_'}, $name) };
}
my %here = %{ $database{postgres} };
my %there = %{ $database{elsewhere} };

is(has_stats($here{database}, $here{points_xtree}), 'f', 'no statistics before the first use');
my $session = $node->background_psql('postgres');
$session->query_safe($scan);
$session->query_safe('DROP INDEX points_other');
my $rows = $session->query_safe($query);
is(scans(), 1, 'a scan is counted at once');
sql("$scan; $query") for 1 .. 3;
sql("$scan; DROP INDEX points_other; $query", 'elsewhere') for 1;
sql("$scan; $query", 'elsewhere');
is(scans() . scans('points_xtree', 'elsewhere'), '42', 'two databases count each for itself');
is(has_stats($here{database}, $here{points_xtree}) . has_stats($there{database}, $there{points_xtree}), 'tt', 'the server has statistics of both');
is(has_stats($here{database}, $there{points_xtree}) . has_stats(0, $here{points_xtree}), 'ff', 'by database and index');
$session->quit;

# Restarts.
my $before = sql($shown);
like($before, qr/^4\|@{[ 4 * $rows ]}\|/, 'before a restart');
sub shown_is { my ($what, $database, $expected) = @_; ok($node->poll_query_until($database, $shown, $expected), $what) or diag(sql($shown, $database)); }
for my $time ('first', 'second')
{
	$node->restart;
	shown_is("the $time restart brings back what was counted, once", 'postgres', $before);
	is(scans('points_xtree', 'elsewhere'), 2, 'in the other database, too');
}
$node->stop('fast');
unlink($node->data_dir . '/pg_stat/xtree.stat') or die $!;
$node->start;
sql("$scan; $query");
is(scans(), 5, 'it is in the file of the server: our own is not needed for it');

# Resets: of the server, and of ours.
sql('SELECT pg_stat_reset()');
is(scans() . scans('points_xtree', 'elsewhere'), '02', 'pg_stat_reset() resets this database');
is(sql(q{SELECT first_access <= last_access FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), 't', 'when it was used is no counter');
$node->restart;
is(scans() . scans('points_xtree', 'elsewhere'), '02', 'a restart brings nothing back');
$session = $node->background_psql('postgres');
$session->query_safe("$scan; $query");
is(scans(), 1, 'it is counted again');
$session->query_safe('SELECT pg_stat_reset()');
$session->query_safe($query);
is(scans(), 1, 'also by a session that has counted before the reset');
sql(q{SELECT pg_stat_xtree_reset('points_xtree')});
is(scans() . scans('points_xtree', 'elsewhere'), '02', 'pg_stat_xtree_reset(index) resets one');
$session->query_safe($query);
sql('SELECT pg_stat_xtree_reset()');
is(scans() . scans('points_xtree', 'elsewhere'), '00', 'pg_stat_xtree_reset() resets all');

# Unloads and loads are counted there as well.
sql(q{SELECT xtree_load('points_xtree'), xtree_unload('points_xtree')});
is(sql(q{SELECT loads, unloads, evictions FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), '1|1|0', 'loads and unloads');
$node->restart;
is(sql(q{SELECT loads, unloads, evictions FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}), '1|1|0', 'over a restart');

# Drops and creations, which transactions take back. Each makes and scans an index, and says which.
$session = $node->background_psql('postgres');
$session->query_safe("$scan; SET enable_bitmapscan = on");
sub make { return $session->query_safe(qq{CREATE TABLE $_[0] AS SELECT p, id FROM points; CREATE INDEX $_[0]_x ON $_[0] USING xtree (p);
	SELECT NULL FROM (SELECT count(*) FROM $_[0] WHERE p <@ box '(0,0),(20,20)') c WHERE count < 0; SELECT '$_[0]_x'::regclass::oid}) =~ s/\s//gr; }
sub is_there { my ($oid, $expected, $what) = @_; is(has_stats($here{database}, $oid), $expected, $what); }
my $made = make('kept');
is_there($made, 't', 'an index that is made and scanned');
$session->query_safe('BEGIN; DROP INDEX kept_x; ROLLBACK');
is_there($made, 't', 'a drop that is rolled back');
$session->query_safe('BEGIN; SAVEPOINT s; DROP INDEX kept_x; ROLLBACK TO s; COMMIT');
is_there($made, 't', 'a drop in a savepoint that is rolled back');
$session->query_safe('BEGIN; SAVEPOINT s; DROP INDEX kept_x; RELEASE s');
is_there($made, 't', 'a drop that is not committed');
$session->query_safe('COMMIT');
is_there($made, 'f', 'a drop that is');
$session->query_safe('DROP TABLE kept');
$session->query_safe('BEGIN');
$made = make('undone');
is_there($made, 't', 'an index that is not committed');
$session->query_safe('ROLLBACK');
is_there($made, 'f', 'an index that is rolled back');
$session->query_safe('BEGIN; SAVEPOINT s');
$made = make('undone');
$session->query_safe(q{DECLARE c CURSOR FOR SELECT id FROM undone WHERE p <@ box '(0,0),(20,20)'; FETCH 3 FROM c; ROLLBACK TO s});
is_there($made, 'f', 'with a savepoint, in the middle of a scan');
$session->query_safe('COMMIT');
$made = make('kept');
$session->query_safe(q{BEGIN; DROP TABLE kept; PREPARE TRANSACTION 'p'});
is_there($made, 't', 'a drop that is prepared');
$session->query_safe(q{COMMIT PREPARED 'p'});
is_there($made, 'f', 'and committed');
$session->query_safe('BEGIN');
$made = make('kept');
$session->query_safe(q{PREPARE TRANSACTION 'p'});
$session->query_safe(q{ROLLBACK PREPARED 'p'});
is_there($made, 'f', 'an index whose preparation is rolled back');
$session->query_safe('CREATE SCHEMA s; SET search_path = s, public');
$made = make('kept');
$session->query_safe('SET client_min_messages = error; DROP SCHEMA s CASCADE; RESET search_path');
is_there($made, 'f', 'a schema that is dropped');
$made = make('kept');
$session->query_safe('SET max_parallel_workers_per_gather = 2; SET debug_parallel_query = on; SELECT count(*) FROM kept WHERE p <@ box \'(0,0),(20,20)\'');
is_there($made, 't', 'with a parallel worker');
$session->query_safe('RESET debug_parallel_query; TRUNCATE kept; REINDEX TABLE kept');
is_there($made, 't', 'a new file is not a new index');

# A standby without the library in shared_preload_libraries, and with it.
$node->backup('base');
my %standby;
for my $preload ('', 'xtree')
{
	my $one = $standby{$preload} = PostgreSQL::Test::Cluster->new('server_statistics_standby' . $preload);
	$one->init_from_backup($node, 'base', has_streaming => 1);
	$one->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\n");
	$one->start;
}
my $other = make('brief');
$node->wait_for_catchup($standby{$_}) foreach '', 'xtree';
$standby{xtree}->safe_psql('postgres', "$scan; SELECT count(*) FROM brief WHERE p <@ box '(0,0),(20,20)'");
is($standby{xtree}->safe_psql('postgres', "SELECT pg_stat_have_stats('xtree_index', $here{database}, $other)"), 't', 'a standby has statistics of its own');
$session->query_safe('DROP TABLE kept, brief');
$node->wait_for_catchup($standby{$_}, 'replay', $node->lsn('insert')) foreach '', 'xtree';
is($standby{xtree}->safe_psql('postgres', "SELECT pg_stat_have_stats('xtree_index', $here{database}, $other)"), 'f', 'until it replays the drop');
is($standby{''}->safe_psql('postgres', 'SELECT xtree_preloaded(), count(*) FROM points'), 'f|10000', 'replay does not need the library');
$_->stop foreach values %standby;
$session->quit;

# A database.
sql("$scan; $query", 'elsewhere');
is(has_stats($there{database}, $there{points_xtree}), 't', 'before a database is dropped');
sql('DROP DATABASE elsewhere');
is(has_stats($there{database}, $there{points_xtree}), 'f', 'afterwards');

# A crash: the server begins anew, as with all its statistics.
sql("$scan; $query");
cmp_ok(scans(), '>', 0, 'before a crash');
$node->stop('immediate');
$node->start;
is(scans(), 0, 'after it');
sql("$scan; $query") for 1 .. 2;
is(scans(), 2, 'and it is counted');
sql(q{SELECT xtree_check('points_xtree', true)});
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 6|signal 11|corrupted statistics|resetting existing statistics/, 'nothing went wrong meanwhile');
done_testing();
