# The first row of an index over vectors decides its layout in one WAL record: a standby, sessions of it that had seen the index empty,
# a crash right after it, and an unlogged index that a crash empties all know it.
# Seen to fail: where only the root is logged, where the initial fork of an unlogged index remembers dimensions, and where xtree_check on the
# standby reads the root by what it knew before the first row was replayed ("damaged page").
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "autovacuum = off\nwal_consistency_checking = all");
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', q{
	CREATE EXTENSION xtree;
	CREATE TABLE sounds (id int, v real[]);
	CREATE INDEX sounds_v ON sounds USING xtree (v);
	CREATE UNLOGGED TABLE scratch (v real[]);
	CREATE INDEX scratch_v ON scratch USING xtree (v);
	INSERT INTO scratch VALUES ('{1,2,3}');
	REINDEX INDEX scratch_v});
my $nearest = q{SET enable_seqscan = off; SELECT round((v <-> '{5,5,5}')::numeric, 3) FROM sounds ORDER BY v <-> '{5,5,5}' LIMIT 3};
$primary->wait_for_catchup($standby);

is($standby->safe_psql('postgres', $nearest), '', 'nothing is found on the standby before the first row');
$primary->safe_psql('postgres', q{INSERT INTO sounds SELECT i, ARRAY[i, i, i] FROM generate_series(1, 1000) i});
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $nearest), "0.000\n1.732\n1.732", 'the standby answers after it');

# The first row is replayed while xtree_check, which keeps no replay waiting, has looked at the meta page only.
SKIP:
{
	skip 'the library was built without stop points (make STOP_POINTS=1)', 1
	  if !defined eval { $primary->safe_psql('postgres', q{LOAD 'xtree'; SHOW xtree.stop_point}) };
	$primary->safe_psql('postgres', 'CREATE TABLE checked (v real[]); CREATE INDEX checked_v ON checked USING xtree (v)');
	$primary->wait_for_catchup($standby);
	my $holder = $standby->background_psql('postgres');
	$holder->query_safe('SELECT pg_advisory_lock(26)');
	my $checker = $standby->background_psql('postgres', on_error_stop => 0);
	$checker->query_safe(q{LOAD 'xtree'; SET xtree.stop_point = 'check-begin:wait:26'});
	$checker->query_until(qr/checking/, "\\echo checking\nSELECT xtree_check('checked_v', true);\n");
	$standby->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)}) or die;
	$primary->safe_psql('postgres', q{INSERT INTO checked VALUES ('{1,2,3}'), ('{3,4,5}')});
	$primary->wait_for_catchup($standby);
	$holder->query_safe('SELECT pg_advisory_unlock(26)');
	$checker->query_safe('SELECT 1');
	is($checker->{stderr}, '', 'xtree_check on the standby takes the first row for no damage');
	$standby->safe_psql('postgres', q{SELECT xtree_check('checked_v', true)});
	$_->quit foreach $checker, $holder;
}

$primary->safe_psql('postgres', q{TRUNCATE sounds; INSERT INTO sounds VALUES (1, '{1,2}')});
$primary->stop('immediate');
$primary->start;
is($primary->safe_psql('postgres', q{SET enable_seqscan = off; SELECT id FROM sounds WHERE v <@ xtree_window('{0,0}', '{2,2}')}), 1,
	'a crash right after the first row loses nothing');
$primary->safe_psql('postgres', q{SELECT xtree_check('sounds_v', true)});
my ($status) = $primary->psql('postgres', q{INSERT INTO sounds VALUES (2, '{1,2,3}')});
isnt($status, 0, 'and the number of dimensions is known');

is($primary->safe_psql('postgres', 'SELECT count(*) FROM scratch'), 0, 'the crash has emptied the unlogged table');
$primary->safe_psql('postgres', q{INSERT INTO scratch VALUES ('{1,2}')});
$primary->safe_psql('postgres', q{SELECT xtree_check('scratch_v', true)});
pass('and its next first row decides anew');

done_testing();
