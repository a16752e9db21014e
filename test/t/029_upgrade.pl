# pg_upgrade from a copy of the same major release takes xtree indexes along as they are: the files are the same, answers and xtree_check hold,
# and the new server writes to them. An index whose meta page has another version or a feature that this library does not know is refused with
# a hint, by scans, inserts, VACUUM and xtree_check, while all else of the table works; REINDEX repairs it.
# Seen to fail: with version and features not looked at before the rest of the meta page (another SQLSTATE).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init(extra => ['--data-checksums']);
$old->append_conf('postgresql.conf', "autovacuum = off\nshared_preload_libraries = 'xtree'\n");
$old->start;
$old->safe_psql('postgres', q{
	CREATE EXTENSION xtree;
	CREATE TABLE t (id int, p point, r int4range, note text);
	INSERT INTO t SELECT i, point(i % 100, i / 100), int4range(i, i + 7), 'note ' || i FROM generate_series(1, 5000) i;
	CREATE INDEX t_p ON t USING xtree (p) INCLUDE (note) WITH (fillfactor = 70);
	CREATE INDEX t_all ON t USING xtree (r, id);
	INSERT INTO t SELECT i, point(i % 100, i / 100), int4range(i, i + 7), 'later' FROM generate_series(5001, 8000) i;
	DELETE FROM t WHERE id % 9 = 0; VACUUM t;
	CREATE TABLE booked (area box, EXCLUDE USING xtree (area WITH &&));
	INSERT INTO booked VALUES ('(1,1),(2,2)');
	CREATE TABLE parts (id int, p point) PARTITION BY RANGE (id);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
	CREATE INDEX parts_p ON parts USING xtree (p);
	INSERT INTO parts SELECT i, point(i, i) FROM generate_series(0, 999) i});

my $query = q{SELECT count(*), sum(id) FROM t WHERE p <@ box '(20,20),(70,70)'; SELECT count(*), sum(id) FROM t WHERE r && int4range(100, 900);
	SELECT id FROM t ORDER BY p <-> point '(33.3,44.4)', id LIMIT 5; SELECT count(*) FROM parts WHERE p <@ box '(10,10),(20,20)'};
my $by_index = "SET enable_seqscan = off; $query";
my $check = q{SELECT xtree_check(indexrelid, true) FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam WHERE amname = 'xtree' AND relkind = 'i'};
my $answers = $old->safe_psql('postgres', $by_index);
my $definitions = $old->safe_psql('postgres', 'SELECT indexdef FROM pg_indexes ORDER BY 1');
my $path = q{SELECT pg_relation_filepath('t_p')};
$old->safe_psql('postgres', 'CHECKPOINT');
$old->stop;
my $file = slurp_file($old->data_dir . '/' . do { $old->start; my $p = $old->safe_psql('postgres', $path); $old->stop; $p });

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init(extra => ['--data-checksums']);
$new->append_conf('postgresql.conf', "autovacuum = off\nshared_preload_libraries = 'xtree'\n");
my $bindir = $old->config_data('--bindir');
chdir ${PostgreSQL::Test::Utils::tmp_check};
command_ok([ 'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir, '-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
$new->start;
is($new->safe_psql('postgres', 'SELECT indexdef FROM pg_indexes ORDER BY 1'), $definitions, 'the indexes are defined as before');
ok(slurp_file($new->data_dir . '/' . $new->safe_psql('postgres', $path)) eq $file, 'the file of an index is the same');
is($new->safe_psql('postgres', $by_index), $answers, 'they answer as before');
is($new->safe_psql('postgres', $check) =~ s/\n//gr, '', 'they are valid');
$new->safe_psql('postgres', $_) foreach q{INSERT INTO t SELECT i, point(i % 100, i / 100), int4range(i, i + 7), 'new' FROM generate_series(8001, 12000) i; DELETE FROM t WHERE id % 7 = 0}, 'VACUUM t';
is($new->safe_psql('postgres', $by_index), $new->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $query"), 'the new server writes to them');
like(($new->psql('postgres', q{INSERT INTO booked VALUES ('(1.5,1.5),(3,3)')}))[2], qr/violates exclusion constraint/, 'a constraint still excludes');
is($new->safe_psql('postgres', $check) =~ s/\n//gr, '', 'they are valid after that');

# Other formats. Offsets in the meta page: its version, its feature flags.
my $index = $new->data_dir . '/' . $new->safe_psql('postgres', $path);
foreach my $case ([ 'another version', 28, pack('S', 999), qr/0A000: .*"t_p".*REINDEX/s ], [ 'an unknown feature', 32, pack('L', 0x80000000), qr/0A000: .*"t_p".*REINDEX/s ])
{
	my ($what, $at, $bytes, $pattern) = @$case;
	$new->stop;
	command_ok([ 'pg_checksums', '--disable', '-D', $new->data_dir ], "$what: checksums are off") if $what =~ /version/;
	open my $out, '+<', $index or die $!;
	binmode $out;
	seek $out, $at, 0;
	print $out $bytes;
	close $out;
	$new->start;
	foreach my $statement ("SET enable_seqscan = off; SELECT count(*) FROM t WHERE p <@ box '(20,20),(70,70)'", "INSERT INTO t VALUES (1, '(1,1)')", 'VACUUM t', q{SELECT xtree_check('t_p')})
	{
		my ($status, undef, $error) = $new->psql('postgres', "\\set VERBOSITY verbose\n$statement");
		like($error, $pattern, "$what is refused: $statement");
	}
	is($new->safe_psql('postgres', 'SELECT count(*) > 0 FROM t WHERE r && int4range(100, 900)'), 't', "$what: other indexes of the table serve");
	$new->safe_psql('postgres', 'REINDEX INDEX t_p');
	is($new->safe_psql('postgres', $check) =~ s/\n//gr, '', "$what: REINDEX repairs");
	$index = $new->data_dir . '/' . $new->safe_psql('postgres', $path);
}
$new->stop;
done_testing();
