# What an installation consists of agrees with itself: the control file, META.json, the script, and the library, which
# loads both on demand and through shared_preload_libraries.
# Seen to fail: with another default_version in xtree.control, and with a SQL function that the library does not export.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{XTREE_SOURCE} or die 'XTREE_SOURCE does not name the checkout';

my $meta = decode_json(slurp_file("$root/META.json"));
my @required = qw(abstract license maintainer meta-spec name provides version);
is_deeply([ grep { !defined $meta->{$_} } @required ], [], 'META.json has what the PGXN Meta Spec requires');
my ($control_version) = slurp_file("$root/xtree.control") =~ /^default_version = '([\d.]+)'$/m;
is_deeply([ sort keys %{ $meta->{provides} } ], [ sort map { /(\w+)\.control$/ } glob("$root/*.control") ],
	'META.json provides what control files are there for');
for my $name (sort keys %{ $meta->{provides} })
{
	my $provided = $meta->{provides}{$name};
	my ($version) = slurp_file("$root/$name.control") =~ /^default_version = '([\d.]+)'$/m;
	is($provided->{version}, "$version.0", "$name: META.json and the control file name the same version");
	ok(-f "$root/$provided->{$_}", "$name: $_ of META.json exists") for qw(file docfile);
	is($provided->{file}, "sql/$name--$version.sql", "$name: script of this version");
}
is($meta->{version}, "$control_version.0", 'the distribution has the version of the extension');

my $node = PostgreSQL::Test::Cluster->new('packaging');
$node->init;

for my $preload ('', 'xtree')
{
	my $how = $preload ? 'preloaded' : 'loaded on demand';
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
	is($node->safe_psql('postgres', "SELECT extversion FROM pg_extension WHERE extname = 'xtree'"),
		$control_version, "$how: CREATE EXTENSION installs the default version");
	is($node->safe_psql('postgres', q{SELECT amname FROM pg_am WHERE amname = 'xtree' AND amtype = 'i'}),
		'xtree', "$how: the access method exists");

	$node->safe_psql('postgres', 'CREATE TABLE t (p point); CREATE INDEX t_p ON t USING xtree (p)');
	$node->safe_psql('postgres', 'CREATE SCHEMA elsewhere; ALTER EXTENSION xtree SET SCHEMA elsewhere');
	is($node->safe_psql('postgres', q{
		INSERT INTO t SELECT point(i, i) FROM generate_series(1, 1000) i;
		SET enable_seqscan = off;
		SELECT count(*) FROM t WHERE p <@ box '(10,10),(19,19)'}),
		10, "$how: the extension can be moved to another schema");

	$node->safe_psql('postgres', 'DROP EXTENSION xtree CASCADE; DROP TABLE t; DROP SCHEMA elsewhere');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_am WHERE amname = 'xtree'}),
		0, "$how: DROP EXTENSION leaves nothing behind");
	$node->stop;
}

done_testing();
