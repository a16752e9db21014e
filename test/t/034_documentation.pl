# The tables of docs/ say what the catalog says: docs/types.md every type with the operators and orders of its default class, docs/monitoring.md
# every column of the views with its comment.
# Seen to fail: with an operator left out of a row, with a class of another type in a row, and with another word in a comment.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = $ENV{XTREE_SOURCE} or die 'XTREE_SOURCE does not name the checkout';
my $node = PostgreSQL::Test::Cluster->new('documentation');
$node->init;
$node->start;
my @companions = grep { $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = '$_'") } qw(cube seg isn btree_gist postgis vector);
$node->safe_psql('postgres', join ' ', 'CREATE EXTENSION xtree;', map { "CREATE EXTENSION xtree_$_ CASCADE;" } @companions);

# The rows of the table whose head begins so, each a list of cells.
sub rows_of
{
	my ($text, $head) = @_;
	my ($table) = $text =~ /^\| \Q$head\E [^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)/m or die "no table $head";
	return map { [ map { s/\\\|/|/gr =~ s/^\s+|\s+$//gr } (split /(?<!\\)\|/, $_)[ 1 .. 3 ] ] } split /\n/, $table;
}

# What is between backticks and made of the characters of operators.
sub operators_in { return map { /^([-+*\/<>=~!@#%^&|?]+)(?: \w+)?$/ ? $1 : () } shift =~ /`([^`]+)`/g; }
sub words_in { return map { /^"?[a-z]\w*[\w ]*"?(?:\[\])?$/ ? $_ : () } shift =~ /`([^`]+)`/g; }
sub sorted { my %seen; return join ' ', sort grep { !$seen{$_}++ } @_; }

# Types that have the class of another one, to which they are coercible.
my %class_of = (varchar => 'text', cidr => 'inet', enums => 'anyenum', ranges => 'anyrange', multiranges => 'anymultirange');

sub types_of
{
	my ($cell) = @_;
	return 'anyrange' if $cell =~ /other range types/;
	return 'anymultirange' if $cell =~ /^multiranges/;
	my @types = grep { !/^xtree_/ } words_in($cell);
	push @types, 'anyenum' if $cell =~ /enums/;
	return map { $class_of{$_} // $_ } @types;
}

my (@before, $type_before);
my %documented;
foreach my $row (rows_of(slurp_file("$root/docs/types.md"), 'column type'))
{
	my ($types, $conditions, $orders) = @$row;
	my ($class) = $types =~ /`(geometry_ops_\w+)`/;
	my @expected = operators_in($conditions);
	push @expected, @before if $conditions =~ /^the same/;
	@before = @expected;
	foreach my $type ($class ? $type_before : types_of($types))
	{
		$type_before = $type;
		my $which = $class ? "c.opcname = '$class'" : 'c.opcdefault';
		my $in_catalog = $node->safe_psql('postgres', qq{
			SELECT purpose, coalesce(string_agg(DISTINCT oprname, ' '), '') FROM unnest('{s,o}'::"char"[]) purpose
			LEFT JOIN (pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod AND a.amname = 'xtree' AND $which
			  AND c.opcintype = to_regtype(\$\$$type\$\$)
			  JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amopstrategy < 60
			  JOIN pg_operator o ON o.oid = m.amopopr) ON m.amoppurpose = purpose GROUP BY purpose});
		next if $in_catalog =~ /^s\|$/m and $node->safe_psql('postgres', "SELECT to_regtype(\$\$$type\$\$) IS NULL") eq 't';
		my %catalog = map { split /\|/, $_, 2 } split /\n/, $in_catalog;
		$documented{ $type =~ s/"//gr } = 1;
		is(sorted(@expected), sorted(split / /, $catalog{s}), "conditions of $type" . ($class ? " ($class)" : ''));
		is(sorted(operators_in($orders)), sorted(split / /, $catalog{o}), "orders of $type" . ($class ? " ($class)" : ''));
	}
}
my @undocumented = grep { my ($name, $internal) = /(.*) (\S+)/; !$documented{ $name =~ s/"//gr } && !$documented{$internal} } split /\n/, $node->safe_psql('postgres', q{
	SELECT DISTINCT format_type(opcintype, NULL) || ' ' || typname FROM pg_opclass c
	JOIN pg_am a ON a.oid = opcmethod AND amname = 'xtree' JOIN pg_type t ON t.oid = opcintype WHERE opcdefault AND typname !~ '^_'});
is("@undocumented", '', 'docs/types.md has every type with a class');

# Markdown as the comment has it.
sub plain { return shift =~ s/\[[^\]]*\]\(([^)]*)\)/docs\/$1/gr =~ s/`//gr; }

my $monitoring = slurp_file("$root/docs/monitoring.md");
foreach my $view (split /\n/, $node->safe_psql('postgres', q{SELECT relname FROM pg_class WHERE relname LIKE 'pg\_stat\_xtree%' AND relkind = 'v'}))
{
	my ($table) = $monitoring =~ /^`$view`.*?\n\n\| column \| meaning \|\n\|---\|---\|\n(.*?)\n\n/ms or next;
	my $expected = join "\n", map { /^\| `(\w+)` \| (.*) \|$/ ? "$1: " . plain($2) : $_ } split /\n/, $table;
	my $comments = $node->safe_psql('postgres', "SELECT attname || ': ' || coalesce(col_description(attrelid, attnum), '')
		FROM pg_attribute WHERE attrelid = '$view'::regclass AND attnum > 0 ORDER BY attnum");
	is($comments, $expected, "comments of the columns of $view");
}

done_testing();
