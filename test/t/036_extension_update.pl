# ALTER EXTENSION xtree UPDATE leaves what a fresh CREATE EXTENSION makes: every object with its definition, comment and privileges. Before it, the
# catalog of the former version works with this library: indexes answer, take rows, are built, and the views show them. Indexes stay as they are.
# test/upgrade holds the scripts of former versions.
# Seen to fail: with a comment, and with a column of a view left out of the update script, and with another volatility of a function.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('update');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'xtree'\nautovacuum = off");
$node->start;

# Every member of the extension, as text that names no OID.
my $members = q{
WITH member AS (SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'xtree'))
SELECT replace(line, E'\n', ' ') FROM (
  SELECT 'object ' || pg_describe_object(classid, objid, 0) || ' -- ' || coalesce(obj_description(objid, classid::regclass::text::name), '(no comment)') FROM member
  UNION ALL SELECT pg_get_functiondef(objid) || ' cost ' || procost || ' rows ' || prorows || ' support ' || prosupport::regproc || ' acl ' || coalesce(proacl::text, '-')
    FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = 'pg_proc'::regclass AND prokind <> 'a'
  UNION ALL SELECT 'view ' || relname || ' ' || pg_get_viewdef(c.oid) || ' acl ' || coalesce(relacl::text, '-')
    FROM member JOIN pg_class c ON c.oid = objid WHERE classid = 'pg_class'::regclass
  UNION ALL SELECT 'column ' || relname || '.' || attname || ' ' || attnum || ' ' || format_type(atttypid, atttypmod) || ' -- ' || coalesce(col_description(c.oid, attnum), '(no comment)')
    FROM member JOIN pg_class c ON c.oid = objid JOIN pg_attribute a ON attrelid = c.oid WHERE classid = 'pg_class'::regclass
  UNION ALL SELECT 'operator ' || o.oid::regoperator || ' ' || oprcode || ' ' || oprcom::regoperator || ' ' || oprnegate::regoperator || ' ' || oprrest || ' ' || oprjoin || ' ' || oprcanhash || oprcanmerge
    FROM member JOIN pg_operator o ON o.oid = objid WHERE classid = 'pg_operator'::regclass
  UNION ALL SELECT 'class ' || opcname || ' ' || opcintype::regtype || ' ' || opcdefault || ' ' || opckeytype::regtype || ' ' || opfname
    FROM member JOIN pg_opclass o ON o.oid = objid JOIN pg_opfamily f ON f.oid = opcfamily WHERE classid = 'pg_opclass'::regclass
  UNION ALL SELECT 'family ' || opfname || ' operator ' || amopstrategy || ' ' || amoppurpose::text || ' ' || amopopr::regoperator || ' ' || amopsortfamily
    FROM member JOIN pg_opfamily f ON f.oid = objid JOIN pg_amop ON amopfamily = f.oid WHERE classid = 'pg_opfamily'::regclass
  UNION ALL SELECT 'family ' || opfname || ' function ' || amprocnum || ' ' || amproclefttype::regtype || ' ' || amprocrighttype::regtype || ' ' || amproc::regprocedure
    FROM member JOIN pg_opfamily f ON f.oid = objid JOIN pg_amproc ON amprocfamily = f.oid WHERE classid = 'pg_opfamily'::regclass
  UNION ALL SELECT 'extension ' || extversion || ' ' || extrelocatable || ' ' || coalesce(extconfig::text, '-') FROM pg_extension WHERE extname = 'xtree') lines (line)
ORDER BY line COLLATE "C"};

my ($share) = run_command([ 'pg_config', '--sharedir' ]);
chomp $share;
my @former = map { /xtree--([\d.]+)\.sql$/ ? $1 : () } glob("$share/extension/xtree--*.sql");
my ($newest) = slurp_file("$share/extension/xtree.control") =~ /^default_version = '([\d.]+)'$/m;
@former = grep { $_ ne $newest } @former;
cmp_ok(scalar @former, '>', 0, "scripts of former versions are there: @former");

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION xtree');
my @fresh = split /\n/, $node->safe_psql('fresh', $members);
cmp_ok(scalar @fresh, '>', 500, 'the catalog of a fresh installation has ' . @fresh . ' lines');

my $query = q{SET enable_seqscan = off; SELECT count(*), sum(id) FROM t WHERE p <@ box '(10,10),(40,40)'; SELECT id FROM t WHERE r && int4range(10, 20) ORDER BY id;
	SELECT id FROM t ORDER BY p <-> point '(33.3,44.4)', id LIMIT 5};
(my $scan = $query) =~ s/enable_seqscan/enable_indexscan/;
$scan = "SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $scan";
for my $version (@former)
{
	my $database = 'since_' . $version =~ tr/./_/r;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, qq{CREATE EXTENSION xtree VERSION '$version';
		CREATE TABLE t AS SELECT i AS id, point(i % 100, i / 100) AS p, int4range(i, i + 5) AS r FROM generate_series(1, 5000) i;
		CREATE INDEX t_p ON t USING xtree (p); CREATE INDEX t_r ON t USING xtree (r, id)});
	is($node->safe_psql($database, 'SELECT extversion FROM pg_extension WHERE extname = \'xtree\''), $version, "$version is there");
	is($node->safe_psql($database, $query), $node->safe_psql($database, $scan), "$version: indexes answer");
	$node->safe_psql($database, $_) foreach 'INSERT INTO t SELECT i, point(i % 100, i / 100), int4range(i, i + 5) FROM generate_series(5001, 6000) i', 'DELETE FROM t WHERE id % 7 = 0', 'VACUUM t';
	for my $view (split /\n/, $node->safe_psql($database, q{SELECT relname FROM pg_class WHERE relname LIKE 'pg\_stat\_xtree%' AND relkind = 'v'}))
	{
		my ($status, undef, $error) = $node->psql($database, "SELECT * FROM $view");
		is($error, '', "$version: $view");
	}
	my $files = $node->safe_psql($database, q{SELECT pg_relation_filepath('t_p'), pg_relation_filepath('t_r')});
	my $answers = $node->safe_psql($database, $query);

	$node->safe_psql($database, 'ALTER EXTENSION xtree UPDATE');
	my @updated = split /\n/, $node->safe_psql($database, $members);
	my %in_fresh = map { $_ => 1 } @fresh;
	my %in_updated = map { $_ => 1 } @updated;
	is(join("\n", grep { !$in_fresh{$_} } @updated), '', "$version: an update leaves nothing that a fresh installation has not");
	is(join("\n", grep { !$in_updated{$_} } @fresh), '', "$version: nor lacks what it has");
	is($node->safe_psql($database, q{SELECT pg_relation_filepath('t_p'), pg_relation_filepath('t_r')}), $files, "$version: indexes stay as they are");
	is($node->safe_psql($database, $query), $answers, "$version: and answer as before");
	is($node->safe_psql($database, $query), $node->safe_psql($database, $scan), "$version: as the table does");
	is($node->safe_psql($database, q{SELECT xtree_check('t_p', true), xtree_check('t_r', true)}), '|', "$version: and are valid");
	is($node->safe_psql($database, 'SELECT mapping FROM pg_stat_xtree_memory'), 'on', "$version: what is new works");
}

# Without an answer from shared memory the reason is said.
for my $case ([ "shared_preload_libraries = ''", 'xtree is not preloaded' ], [ "shared_preload_libraries = 'xtree'\nxtree.use_mmap = off", 'xtree.use_mmap is off' ])
{
	$node->append_conf('postgresql.conf', $case->[0]);
	$node->restart;
	is($node->safe_psql('fresh', 'SELECT mapping FROM pg_stat_xtree_memory'), $case->[1], "why nothing is mapped: $case->[1]");
}
$node->stop;
done_testing();
