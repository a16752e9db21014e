# Every SQL example of README.md and of the pages that it names runs, in order, in a fresh database, with shared_preload_libraries and without; its tables name
# every setting with its default, and every column of the views.
# Seen to fail: with a misspelled access method in the examples (each of them and those that need their indexes are named).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{XTREE_SOURCE} or die 'XTREE_SOURCE does not name the checkout';
my $readme = slurp_file("$root/README.md");
# The pages in the order in which README.md names them first: examples use tables of earlier ones.
my %seen;
# docs/adding-a-type.md is about another extension, which test/example runs.
my @pages = grep { !$seen{$_}++ && !/adding-a-type/ } $readme =~ m{\((docs/[\w-]+\.md)\)}g;
$readme = join "\n", $readme, map { slurp_file("$root/$_") } @pages;
my @examples = $readme =~ /^```sql\n(.*?)^```/msg;
cmp_ok(scalar @examples, '>=', 8, 'README.md has examples');

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', 'shared_preload_libraries = xtree');
$node->start;

sub run_examples
{
	my ($how, $database, @some) = @_;
	foreach my $example (@some)
	{
		my ($first_line) = $example =~ /^(.*)$/m;
		my ($status, $out, $error) = $node->psql($database, $example);
		is($status, 0, "runs $how: $first_line") or diag($error);
	}
}

@examples = grep { !/postgis/ } @examples
	if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'}) eq '0';
@examples = grep { !/xtree_vector/ } @examples
	if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'}) eq '0';
run_examples('with preload', 'postgres', @examples);

like($node->safe_psql('postgres', q{SET enable_seqscan = off; EXPLAIN SELECT id FROM shops
	WHERE opened BETWEEN '2021-01-01' AND '2021-12-31' ORDER BY place <-> point '(50.2,49.7)' LIMIT 3}),
	qr/Order By: \(place <-> /, 'the nearest-neighbour example is an index scan');
cmp_ok($node->safe_psql('postgres', q{SELECT count(xtree_check(i.indexrelid, true)) FROM pg_index i
	JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam WHERE amname = 'xtree' AND c.relkind = 'i'}),
	'>=', 7, 'the indexes of the examples pass xtree_check');

my @undocumented = grep {
	my ($name, $default) = split /\|/, $_, 2;
	$readme !~ /^\| `\Q$name\E` \| (?:`\Q$default\E`|\Q$default\E) \|/m
} split /\n/, $node->safe_psql('postgres', q{SELECT name, regexp_replace(regexp_replace(
	CASE unit WHEN 'kB' THEN pg_size_pretty(boot_val::int8 * 1024) WHEN 'ms' THEN boot_val::int / 1000 || ' s' WHEN 's' THEN boot_val || ' s' WHEN 'min' THEN boot_val::int / 1440 || ' d'
	          ELSE boot_val END, '^5120 MB', '5 GB'), '^-1024 bytes', '-1')
	FROM pg_settings WHERE name LIKE 'xtree.%' AND name <> 'xtree.stop_point'});
is("@undocumented", '', 'README.md names every setting and its default');
foreach my $view (split /\n/, $node->safe_psql('postgres', q{SELECT relname FROM pg_class WHERE relname LIKE 'pg\_stat\_xtree%'}))
{
	my ($table) = $readme =~ /^`$view`.*?\n\n\| column \| meaning \|\n\|---\|---\|\n(.*?)\n\n/ms;
	my @columns = ($table // '') =~ /^\| `(\w+)` \|/mg;
	is(join(' ', @columns), $node->safe_psql('postgres',
		"SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$view'::regclass AND attnum > 0"),
		"README.md lists the columns of $view");
}

# A fresh database, as the examples begin with CREATE EXTENSION.
$node->append_conf('postgresql.conf', q{shared_preload_libraries = ''});
$node->restart;
$node->safe_psql('postgres', 'CREATE DATABASE without_preload');
run_examples('without preload', 'without_preload', grep { !/xtree_load/ } @examples);

$node->stop;
done_testing();
