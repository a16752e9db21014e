# A streaming standby under load, with wal_consistency_checking = all: replay agrees byte for byte, the standby's answers are those of its
# own sequential scan, xtree_check passes there, index-only scans are not offered (their pins hold nothing back in replay), and after a
# promotion the index takes writes. The standby does not preload the library; replay does not need it.
# Seen to fail: with a new page's content missing from its record (replay finds an inconsistent page); with index-only scans offered on
# the standby.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "wal_consistency_checking = all\nautovacuum = off\nmax_wal_size = 1GB\nwal_keep_size = 4GB\n");
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION xtree;
	CREATE TABLE t (id int, p point, b box, k int);
	CREATE INDEX t_all ON t USING xtree (p, b, k) WITH (max_overlap = 0, min_fanout = 0.5, max_supernode_pages = 5);
	CREATE INDEX t_p ON t USING xtree (p)});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

sub agree
{
	my ($what) = @_;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	my $where = q{WHERE p <@ box '(10,10),(70,60)' AND b && box '(20,20),(90,90)'};
	my $by_index = $standby->safe_psql('postgres', "SET enable_seqscan = off; SELECT count(*), sum(id) FROM t $where");
	my $by_scan = $standby->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT count(*), sum(id) FROM t $where");
	is($by_index, $by_scan, "$what: the standby's index answers as its table does");
	is($by_scan, $primary->safe_psql('postgres', "SELECT count(*), sum(id) FROM t $where"), "$what: as the primary does");
	is($standby->safe_psql('postgres', q{SELECT xtree_check('t_all', true), xtree_check('t_p', true)}), '|', "$what: xtree_check on the standby");
}

my $row = 'i, point(random() * 100, random() * 100), CASE WHEN i % 9 > 0 THEN box(point(random() * 90, random() * 90), point(random() * 99, random() * 99)) END, i % 50';
$primary->safe_psql('postgres', "INSERT INTO t SELECT $row FROM generate_series(1, 40000) i");
agree('after inserts');
$primary->safe_psql('postgres', q{DELETE FROM t WHERE p <@ box '(0,0),(30,90)'; VACUUM t});
agree('after VACUUM');
$primary->safe_psql('postgres', "INSERT INTO t SELECT $row FROM generate_series(40001, 60000) i; UPDATE t SET k = k + 1 WHERE id % 4 = 0; VACUUM t");
agree('after pages were used again');
$primary->safe_psql('postgres', 'REINDEX TABLE t');
agree('after REINDEX');

unlike($standby->safe_psql('postgres', q{SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN SELECT p FROM t WHERE p <@ box '(1,1),(2,2)'}),
	qr/Index Only/, 'no index-only scan on the standby');
like($primary->safe_psql('postgres', q{SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN SELECT p FROM t WHERE p <@ box '(1,1),(2,2)'}),
	qr/Index Only/, 'but on the primary');

$standby->promote;
$standby->safe_psql('postgres', "INSERT INTO t SELECT $row FROM generate_series(60001, 70000) i; DELETE FROM t WHERE id % 3 = 0; VACUUM t");
is($standby->safe_psql('postgres', q{SELECT xtree_check('t_all', true), xtree_check('t_p', true)}), '|', 'writes after promotion');
$standby->stop;
$primary->stop;
done_testing();
