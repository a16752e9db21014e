# Generations of clusters (src/README.md) where VACUUM makes and drops them: a server that is killed between its steps, a standby that replays them while
# it searches, statements that began before and go on with what they knew, writers beside VACUUM, a generation whose rows are gone, the limit of their
# number, drift, and damage in a former generation.
# Seen to fail: with a generation let go of whatever statements are older than the one behind it.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest;

my $primary = PostgreSQL::Test::Cluster->new('generations');
$primary->init(allows_streaming => 1, no_data_checksums => 1);
$primary->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
wal_consistency_checking = all
autovacuum = off
max_wal_size = '4GB'
wal_keep_size = '4GB'
restart_after_crash = on
xtree.naptime = '200ms'
xtree.map_after = 0
CONF
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($primary);
sub sql { return $primary->safe_psql('postgres', join ' ', @_); }

# 40 dimensions, 30 clusters; row i is the same wherever it is made.
sql(q{
	CREATE FUNCTION vector_of(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
		SELECT array_agg((sin((i % 30) * 12.9898 + d * 78.233) + 0.4 * sin(i * 2.3999632 + d * 1.1))::real ORDER BY d) FROM generate_series(1, 40) d $$;
	CREATE TABLE t (id int, tenant int, v real[]);
	CREATE INDEX t_v ON t USING xtree (v, tenant)});
sub rows { my ($first, $last) = @_; return "INSERT INTO t SELECT i, i % 7, vector_of(i) FROM generate_series($first, $last) i;"; }
sub generations { return sql(q{SELECT string_agg(generation || CASE WHEN rows > 0 THEN '+' ELSE '' END, ' ' ORDER BY generation) FROM xtree_cluster_info('t_v')}); }

# A session that runs a script beside the others.
my $scripts = 0;
sub start_session
{
	my ($script) = @_;
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/session" . $scripts++ . '.sql';
	append_to_file($file, $script);
	my $out = '';
	return [ IPC::Run::start([ 'psql', '-X', '-q', '-f', $file, '-d', $primary->connstr('postgres') ], '<', '/dev/null', '>', \$out, '2>&1'), \$out ];
}
sub finish_session { my ($session) = @_; $session->[0]->finish; return ${ $session->[1] }; }

my $question = nearest_question();
my $by_index = 'SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off;';
my $by_scan  = 'SET enable_indexscan = off; SET enable_bitmapscan = off;';

# ---- A standby, which replays without the library, and is asked all the time
sql(rows(1, 1500));
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('generations_standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "shared_preload_libraries = ''\nmax_standby_streaming_delay = -1\n");
$standby->start;
my $session = $standby->background_psql('postgres');
$session->query_safe($by_index);
my $asked = 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT array_agg(d::text) FROM (SELECT v <-> vector_of(5) AS d FROM t ORDER BY 1 LIMIT 20) q; SET LOCAL enable_seqscan = on;'
  . 'SET LOCAL enable_sort = on; SET LOCAL enable_indexscan = off; SELECT array_agg(d::text) FROM (SELECT v <-> vector_of(5) AS d FROM t ORDER BY 1 LIMIT 20) q; COMMIT;';
my $wrong = 0;
sub ask_standby
{
	my @answers = split /\n/, $session->query_safe($asked);
	$wrong++ if @answers != 2 || $answers[0] ne $answers[1];
	return;
}
ask_standby();
foreach my $round (0 .. 3)
{
	my $first = 1501 + 3000 * $round;
	my $last = $first + 2999;
	my $writer = start_session(join('', map { rows($first + 300 * $_, $first + 300 * $_ + 299) . "\n" } 0 .. 9) . "VACUUM t;\n");
	do { ask_standby(); $writer->[0]->pump_nb } while $writer->[0]->pumpable;
	is(finish_session($writer), '', 'rows, and VACUUM');
}
is(generations(), '1+ 2+', 'the table has grown from nothing');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
ask_standby();
is($wrong, 0, 'a session of the standby that began before searches all of them');
clusters_agree($standby, 'standby');
clusters_agree($primary, 'grown');

# ---- Killed between the steps: pages that nothing leads to at worst, which a later VACUUM frees
sub model_pages
{
	sql('CHECKPOINT');
	my $bytes = slurp_file($primary->data_dir . '/' . sql(q{SELECT pg_relation_filepath('t_v')}));
	return scalar grep { ord(substr $bytes, $_ * 8192 + 8192 - 24 + 15, 1) == 0x40 } 0 .. length($bytes) / 8192 - 1;
}
sub killed_in_vacuum
{
	my ($point, $expected) = @_;
	my $offset = -s $primary->logfile;
	my ($status) = $primary->psql('postgres', "SET xtree.stop_point = '$point:crash'; VACUUM t");
	isnt($status, 0, "killed at $point");
	$primary->wait_for_log(qr/ready to accept connections/, $offset);
	$primary->poll_query_until('postgres', 'SELECT true') or die 'no recovery';
	is(generations(), $expected, "generations after the crash at $point");
	clusters_agree($primary, "after the crash at $point");
	return;
}
sql('TRUNCATE t; ALTER INDEX t_v SET (clusters = 400);', rows(1, 5000));
killed_in_vacuum($_, '1+') for 'generation-page', 'generation-page+1', 'generation-before-meta';
my $of_model = model_pages();
cmp_ok($of_model, '>', 1, 'pages are left that nothing leads to');
killed_in_vacuum('vacuum-before-free-model+1', '1+');
killed_in_vacuum('generation-after-meta', '1+ 2');
is(model_pages(), $of_model, 'only pages of the model that the index has are left');
sql(rows(5001, 5001));
sql('VACUUM t');
my $pages = sql(q{SELECT pg_relation_size('t_v')});
sql(rows(5002, 5050));
is(sql(q{SELECT pg_relation_size('t_v')}), $pages, 'the others are used again');
clusters_agree($primary, 'after all');

# ---- Statements that began before: they go on with what they knew, and nothing is taken from them
sql('TRUNCATE t; ALTER INDEX t_v RESET (clusters);', rows(1, 4500));
my $cursor = $primary->background_psql('postgres');
$cursor->query_safe("$by_index BEGIN; DECLARE c CURSOR FOR SELECT id FROM t ORDER BY v <-> vector_of(9); FETCH 5 FROM c");
sql('VACUUM t');
is(generations(), '1+ 2', 'a new generation');
is($cursor->query_safe('FETCH 3 FROM c') =~ s/\d+/x/gr, "x\nx\nx", 'the cursor goes on');
$cursor->query_safe('COMMIT');
$cursor->quit;
# A statement looks at the meta page for its first row, which has no vector, and waits with the second.
my $gate = $primary->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(47)');
my $slow = start_session(q{INSERT INTO t SELECT i, i % 7, CASE WHEN i = 100000 THEN NULL WHEN i = 100001 AND pg_advisory_lock(47) IS NULL THEN NULL ELSE vector_of(i) END
	FROM generate_series(100000, 100200) i});
$primary->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) or die 'it does not wait';
# Its generation is outgrown, and loses its rows, which never were: a transaction takes them back.
my $undone = $primary->background_psql('postgres');
$undone->query_safe('BEGIN; ' . rows(300000, 315000));
sql('VACUUM t');
is(generations(), '1+ 2+ 3', 'it is outgrown');
$undone->query_safe('ROLLBACK');
$undone->quit;
sql('VACUUM t') for 1 .. 3;
is(generations(), '1+ 2 3', 'a generation that a statement may write to stays, although it is empty');
$gate->query_safe('SELECT pg_advisory_unlock(47)');
$gate->quit;
is(finish_session($slow), '', 'the statement has come to its end');
is(sql('SELECT count(*) FROM t WHERE id BETWEEN 100000 AND 100200'), 201, 'and has inserted its rows');
is(generations(), '1+ 2+ 3', 'into the clusters that it knew');
clusters_agree($primary, 'statements that began before');
sql(rows(200001, 200500));
sql('DELETE FROM t WHERE id <= 100200');
for (1 .. 50)
{
	sql('VACUUM t');
	last if generations() eq '1+';
	select undef, undef, undef, 0.1;
}
is(generations(), '1+', 'generations without rows go');
is(sql(q{SELECT clusters > 1 FROM xtree_cluster_info('t_v')}), 't', 'and the newest is left');
clusters_agree($primary, 'after generations have gone');

# ---- Writers beside VACUUM, each in statements of its own and in long ones
sql('TRUNCATE t;', rows(1, 3900));
my @writers = map {
	my $writer = $_;
	start_session(join '', map { my $first = 1000000 * ($writer + 1) + 100 * $_; my $last = $first + 99; rows($first, $last) . "\n" . ($writer == 1 && $_ % 10 == 9 ? "DELETE FROM t WHERE id % 5 = 2;\n" : '') } 0 .. 59) } 0 .. 1;
$wrong = 0;
my $fixed = 'SELECT string_agg(id::text, $$ $$) FROM (SELECT id FROM t WHERE id < 3900 AND tenant = 6 AND id % 5 <> 2 ORDER BY v <-> vector_of(5) LIMIT 40) q';
my $truth = sql($by_scan, $fixed);
for (1 .. 12)
{
	sql('VACUUM t');
	for (1 .. 3) { $wrong++ if sql($by_index, $fixed) ne $truth }
}
is(finish_session($_), '', 'a writer') for @writers;
sql('VACUUM t');
is($wrong, 0, 'searches beside writers and VACUUM');
like(generations(), qr/^1\+ 2\+/, 'the rows are in two generations');
clusters_agree($primary, 'after writers beside VACUUM');

# ---- So many, and no more
sql('TRUNCATE t; ALTER INDEX t_v SET (clusters = 4); ' . rows(1, 4200) . 'DELETE FROM t WHERE id > 4100;');
foreach my $round (1 .. 9)
{
	# Rows of another kind each time, of which the clusters know nothing.
	sql("INSERT INTO t SELECT 10000 * $round + i, i % 7, (SELECT array_agg((x + power(5, $round) * sin($round * 7.1 + i % 3))::real) FROM unnest(vector_of(i)) x) FROM generate_series(1, 4100 + 1100 * $round) i");
	sql('VACUUM t');
}
is(sql(q{SELECT count(*) FROM xtree_cluster_info('t_v')}), 8, 'drift makes generations, up to eight') or diag(generations());
clusters_agree($primary, 'many generations');
sql('REINDEX INDEX t_v');
is(generations(), '1+', 'REINDEX makes one');

# ---- Damage in a former generation
sql('TRUNCATE t; ALTER INDEX t_v RESET (clusters);', rows(1, 4500));
sql('VACUUM t');
sql(rows(4501, 9500));
is(generations(), '1+ 2+', 'two generations');
my $file = $primary->data_dir . '/' . sql(q{SELECT pg_relation_filepath('t_v')});
$primary->stop;
my $intact = slurp_file($file);
sub with_damage
{
	my ($what, $change, $expected, $statement) = @_;
	my $bytes = $intact;
	$change->(\$bytes);
	open my $damaged, '>:raw', $file or die $!;
	print $damaged $bytes;
	close $damaged;
	$primary->start;
	my ($status, undef, $error) = $primary->psql('postgres', $statement // q{SELECT xtree_check('t_v', true)});
	like($error, $expected, $what);
	$primary->stop;
	return;
}
my ($model) = grep { ord(substr $intact, $_ * 8192 + 8192 - 24 + 15, 1) == 0x40 } 0 .. length($intact) / 8192 - 1;
with_damage('a page of a model', sub { substr(${ $_[0] }, $model * 8192 + 100, 400) = "\xff" x 400 }, qr/"t_v" contains a damaged page/);
with_damage('a page of a model is another', sub { substr(${ $_[0] }, $model * 8192 + 8192 - 24, 8) = "\1" x 8 }, qr/not the part of the model/, "$by_index $question");
# A byte of a code, on the first leaf and the last.
my @leaves = grep { ord(substr $intact, $_ * 8192 + 8192 - 24 + 15, 1) == 0x01 } 2 .. length($intact) / 8192 - 1;
foreach my $leaf (@leaves[ 0, -1 ])
{
	my $at = $leaf * 8192 + 8192 - 24 - 20;
	with_damage("a code on page $leaf", sub { substr(${ $_[0] }, $at, 1) = chr(ord(substr ${ $_[0] }, $at, 1) ^ 0x55) }, qr/has another key/);
}
open my $restored, '>:raw', $file or die $!;
print $restored $intact;
close $restored;
$primary->start;
clusters_agree($primary, 'restored');
$primary->stop;
$standby->stop;
done_testing();
