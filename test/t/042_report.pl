# The report as its client xtree-report writes it: a page that is complete in itself, with the pages in its pictures marked as the views say, for
# each role what it may see; names may be anything, in any encoding; an index that is damaged or locked does not keep the page from being made. And
# the client: what it does with a wrong call, a server that is not there, a file that cannot be written, another's function of the same name.
# Where chromium is installed, a browser shows the page.
# Seen to fail: without the subtransaction around a picture, with the function called by its name alone, and with pages marked as hot that nobody visits.
use strict;
use warnings;

use Compress::Zlib ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('report');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = xtree
xtree.naptime = 100ms
autovacuum = off
fsync = off
CONF
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

my $dir = PostgreSQL::Test::Utils::tempdir;
my @connection = ('-h', $node->host, '-p', $node->port);

# Exit status, output and errors of the client.
sub client
{
	my @arguments = @_;
	my ($out, $error) = ('', '');
	IPC::Run::run [ 'xtree-report', @arguments ], '<', '/dev/null', '>', \$out, '2>', \$error;
	return ($? >> 8, $out, $error);
}

sub report
{
	my ($user, $database, @arguments) = @_;
	my $file = "$dir/$user-$database.html";
	my ($status, $out, $error) = client(@connection, '-U', $user, '-o', $file, @arguments, $database);
	is($status, 0, "xtree-report for $user in $database") or diag $error;
	is("$out$error", '', 'it says nothing else');
	return slurp_file($file);
}

sub well_formed
{
	my ($page, $what) = @_;
	append_to_file("$dir/page", '');
	open my $file, '>', "$dir/page" or die $!;
	print $file $page;
	close $file;
	my ($status, $out, $error) = $node->psql('postgres', "SELECT xmlparse(document pg_read_file('$dir/page')) IS NOT NULL");
  SKIP:
	{
		skip 'the server was built without libxml', 1 if $error =~ /unsupported XML feature/;
		is($out, 't', "$what is well-formed") or diag $error;
	}
}

sub pictures { my ($page) = @_; return scalar(() = $page =~ /<svg /g); }

my $hostile = q{<img src="//evil.example/x" onerror=alert(1)>&'};
my $superuser = sql('SELECT current_user');
sql(q{CREATE EXTENSION xtree;
	CREATE TABLE points (id int, p point);
	INSERT INTO points SELECT i, point(i % 211, i % 197) FROM generate_series(1, 40000) i;
	CREATE INDEX points_xtree ON points USING xtree (p);
	CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE SCHEMA s AUTHORIZATION alice; GRANT USAGE ON SCHEMA s TO bob;
	SET ROLE alice;
	CREATE TABLE s.t (k float8, secret text);
	INSERT INTO s.t SELECT 76543.25 + i % 2, CASE i WHEN 77 THEN 'xyzzy4711' ELSE i::text END FROM generate_series(1, 300) i;
	CREATE INDEX t_secret ON s.t USING xtree (k);
	CREATE INDEX t_bad ON s.t USING xtree ((secret::int)) WITH (build = deferred);
	ALTER TABLE s.t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON s.t TO bob});
sql("CREATE INDEX " . ($hostile =~ s/(.*)/"$1"/r =~ s/(?<=.)"(?=.)/""/gr) . ' ON points USING xtree (id)');
$node->psql('postgres', q{SET ROLE alice; CALL xtree_build('s.t_bad')});

# A session that maps an index, which makes some of its pages hot.
my $session = $node->background_psql('postgres');
my $scans = q{SELECT sum(n) FROM generate_series(1, 3000) i, LATERAL (SELECT count(*) AS n FROM points WHERE p <@ box(point(50, 50), point(50 + i % 3, 53)) AND id > 0) q};
$session->query_safe("SET enable_seqscan = off; SET enable_bitmapscan = off; $scans");
$node->poll_query_until('postgres', q{SELECT state = 'loaded' FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'}) or die 'not loaded';
$session->query_safe($scans);
$node->poll_query_until('postgres', q{SELECT pinned_bytes > 0 OR (SELECT pin_failures > 0 FROM pg_stat_xtree_memory) FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'})
	or die 'not pinned';

# Marks in a picture: blocks by what their rectangles say.
sub marked
{
	my ($svg, $kind) = @_;
	return [ sort { $a <=> $b } map { /class="box[^"]* $kind[" ].*data-block="(\d+)"/ ? $1 : () } $svg =~ /<rect class="box[^>]*>/g ];
}
my $svg = sql(q{SELECT xtree_svg('points_xtree')});
my @all = split /\n/, sql(q{SELECT block FROM xtree_nodes('points_xtree') ORDER BY 1});
is_deeply(marked($svg, 'mapped'), \@all, 'all boxes are marked as mapped while a session maps the index');
my %tracked = map { $_ => 1 } split /\n/, sql(q{SELECT block FROM pg_stat_xtree_pages WHERE indexrelname = 'points_xtree'});
my @hot = @{ marked($svg, 'hot') };
cmp_ok(scalar @hot, '>', 0, 'some pages are hot');
cmp_ok(scalar @hot, '<', scalar @all, 'others are not');
is_deeply([ grep { !$tracked{$_} } @hot ], [], 'those that are hot are tracked');
is(scalar(() = $svg =~ /class="heat"/g), @hot + 1, 'each has a mark, and so has the legend');
my $pinned = sql(q{SELECT CASE WHEN pinned_bytes >= size THEN 'all' WHEN pinned_bytes > 0 THEN 'some' ELSE 'none' END FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_xtree'});
is_deeply(marked($svg, 'pinned'), \@all, 'all are marked as pinned') if $pinned eq 'all';
is_deeply(marked($svg, 'pinned'), [], 'none is marked as pinned') if $pinned eq 'none';
note("pinned: $pinned");

# The page.
my $page = report($superuser, 'postgres');
well_formed($page, 'the page');
is(pictures($page), 3, 'a picture of each index that is built');
like($page, qr/<section id="$_">/, "section $_") for qw(overview memory states indexes recommendations errors hits history pictures pages builds worker events settings);
like($page, qr/>public.points_xtree<.*>loaded, resident</, 'the index and its state');
like($page, qr/xtree\.naptime<\/td><td[^>]*>100ms<\/td><td[^>]*>changed/, 'a setting that was changed');
like($page, qr/>admit</, 'an event');
like($page, qr/<th[^>]*>process<\/th><td[^>]*>\d+<\/td>/, 'the worker');
like($page, qr/<div class="bar"><div style="width:\d+\.\d%">/, 'bars of hit shares');
unlike($page, qr/<img|<script/, 'no name is taken for an element');
like($page, qr/&#60;img src=&#34;\/\/evil\.example\/x&#34; onerror=alert\(1\)&#62;&#38;&#39;/, 'it is shown as it is');
# Whatever a browser would fetch: an attribute or a style that names something else than a place in the page.
is_deeply([ $page =~ /\s(?:src|srcset|poster|action|data|background|(?:xlink:)?href)\s*=\s*"(?!#)[^"]*"|url\([^)]*\)|\@import[^;]*/g ], [], 'nothing is fetched');
is_deeply([ grep { !m{^http://www\.w3\.org/(1999/xhtml|2000/svg)$} } $page =~ /="(\w+:\/\/[^"]*)"/g ], [], 'no address is in it but those of namespaces');
like($page, qr/<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"\/>/, 'a browser is told so');
$session->quit;
is_deeply(marked(sql(q{SELECT xtree_svg('points_xtree')}), 'mapped'), [], 'no page is mapped once the session is gone');

# Who sees what.
my $message = 'invalid input syntax for type integer: &#34;xyzzy4711&#34;';
like($page, qr/\Q$message/, 'the superuser sees why a build failed');
my $alices = report('alice', 'postgres');
is(pictures($alices), 1, 'the owner sees a picture of her index');
like($alices, qr/<text[^>]*>76,?543\.\d/, 'with its keys at the axis');
like($alices, qr/\Q$message/, 'she sees why the build failed');
my $bobs = report('bob', 'postgres');
well_formed($bobs, 'the page for another');
is(pictures($bobs), 0, 'another sees no picture');
like($bobs, qr/>s\.t_secret</, 'but that there is an index');
like($bobs, qr/only the owner and members of pg_read_all_stats may read it/, 'and that there was an error');
unlike($bobs, qr/xyzzy|76,?543\./, 'and nothing of its keys');

# An index that cannot be drawn.
my $lock = $node->background_psql('postgres');
$lock->query_safe('BEGIN; LOCK TABLE points IN ACCESS EXCLUSIVE MODE');
$page = report($superuser, 'postgres');
like($page, qr/public\.points_xtree could not be drawn: canceling statement due to lock timeout/, 'one that is locked is left out');
is(pictures($page), 1, 'others are drawn');
$lock->query_safe('ROLLBACK');
$lock->quit;
my $path = $node->data_dir . '/' . sql(q{SELECT pg_relation_filepath('points_xtree')});
$node->stop;
open my $file, '+<', $path or die $!;
seek $file, 8192, 0;
print $file 'x' x 8192;
close $file;
$node->start;
my $server_start = sql('SELECT pg_postmaster_start_time()');
$page = report($superuser, 'postgres');
like($page, qr/public\.points_xtree could not be drawn: [^<]*(?:block 1\b|page 1\b|invalid page)[^<]*/, 'one that is damaged is left out');
is(pictures($page), 2, 'others are drawn');
sql(q{REINDEX INDEX points_xtree});
is(pictures(report($superuser, 'postgres')), 3, 'until it is repaired');

# Databases of other encodings: the page is ASCII in each.
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
$node->safe_psql('postgres', q{CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
for my $case ([ 'latin', 'd&#233;j&#224; vu' ], [ 'bytes', 'd&#65533;j&#65533; vu' ])
{
	my ($database, $name) = @$case;
	$node->safe_psql($database, "SET client_encoding = " . ($database eq 'latin' ? 'LATIN1' : 'SQL_ASCII') .
		"; CREATE EXTENSION xtree; CREATE TABLE t AS SELECT point(i, i) AS p FROM generate_series(1, 100) i; CREATE INDEX \"d\xe9j\xe0 vu\" ON t USING xtree (p)");
	$page = report($superuser, $database);
	like($page, qr/\Q$name/, "$database: the name of an index");
	unlike($page, qr/[^\x20-\x7e\n]/, "$database: the page is ASCII");
	well_formed($page, "$database: the page");
	is(pictures($page), 1, "$database: with a picture");
}

# The client.
my ($status, $out, $error) = client('--help');
is("$status $error", '0 ', '--help');
like($out, qr/^Usage:\n  xtree-report \[OPTION\]/m, 'it says how it is used');
for my $case ([ qr/unknown option "-x"/, '-x' ], [ qr/-o needs a value/, '-o' ], [ qr/--pictures needs a number, not "many"/, '--pictures=many' ],
	[ qr/--indexes needs a number, not ""/, '--indexes=' ])
{
	my ($pattern, @arguments) = @$case;
	($status, $out, $error) = client(@arguments);
	is("$status $out", '1 ', "a wrong call: @arguments");
	like($error, qr/^xtree-report: .*$pattern.*\nTry "xtree-report --help"/s, 'with a message');
}
($status, $out, $error) = client('-h', "$dir", '-p', 1, '-o', "$dir/none");
is("$status $out", '2 ', 'a server that is not there');
like($error, qr/connection to server/, 'with a message');
($status, $out, $error) = client(@connection, '-o', "$dir/none", 'template1');
is("$status $out", '1 ', 'a database without the extension');
like($error, qr/has no extension xtree.*CREATE EXTENSION xtree/, 'with a message');
($status, $out, $error) = client(@connection, '-o', "$dir/none", '--pictures=51', 'postgres');
is("$status $out", '1 ', 'too many pictures');
like($error, qr/pictures must be from 0 to 50, not 51/, 'with a message');
ok(!-e "$dir/none", 'none of them wrote a file');
($status, $out, $error) = client(@connection, '-o', $dir, 'postgres');
is("$status $out", '1 ', 'a directory');
like($error, qr/is a directory/, 'with a message');
($status, $out, $error) = client(@connection, '-o', "$dir/no/such", 'postgres');
is("$status $out", '1 ', 'a file that cannot be written');
like($error, qr/cannot write "\Q$dir\E\/no\/such"/, 'with a message');
append_to_file("$dir/old", 'old');
($status) = client('-h', $dir, '-o', "$dir/old", 'postgres');
is(slurp_file("$dir/old"), 'old', 'a file stays as it was where nothing came');
($status, $out, $error) = client(@connection, "--output=$dir/old", '--pictures', 1, '--indexes=1', '--events=1', '-d', 'postgres');
$page = slurp_file("$dir/old");
is("$status$out$error " . pictures($page), '0 1', 'it is replaced by a page, with as many pictures as were asked for');
like($page, qr/The 1 most used, at most/, 'and as many indexes');
($status, $out, $error) = client(@connection, "dbname=postgres application_name='a b'", '-w');
is("$status $error", '0 ', 'without a file, and with a connection string');
like($out, qr/^<!DOCTYPE html>.*<\/html>\n$/s, 'the page goes to standard output');
is_deeply([ grep { /new\d+$/ } glob "$dir/*" ], [], 'no file is left over');

# Another's functions of the same name are not called.
sql(q{CREATE FUNCTION public.xtree_report() RETURNS text LANGUAGE sql AS $$SELECT 'impostor'$$;
	CREATE FUNCTION public.xtree_report(int8, int8, int8) RETURNS text LANGUAGE sql AS $$SELECT 'impostor'$$});
$page = report($superuser, 'postgres');
like($page, qr/^<!DOCTYPE html>/, 'an impostor of the function is not called');
sql('DROP FUNCTION public.xtree_report(); DROP FUNCTION public.xtree_report(int8, int8, int8)');
is(sql('SELECT pg_postmaster_start_time()'), $server_start, 'the server has not crashed');

# Colours of the first rows of a PNG with 8 bits a sample, until there are many.
sub colours
{
	my ($png, $enough) = @_;
	my ($at, $data, $width, $depth, $type, %colours) = (8, '');
	while ($at < length $png)
	{
		my ($length, $kind) = unpack 'N a4', substr($png, $at, 8);
		my $chunk = substr $png, $at + 8, $length;
		($width, undef, $depth, $type) = unpack 'N N C C', $chunk if $kind eq 'IHDR';
		$data .= $chunk if $kind eq 'IDAT';
		$at += 12 + $length;
	}
	die "a PNG of another kind: depth $depth, type $type" if $depth != 8 || ($type != 2 && $type != 6);
	my $bytes = $type == 6 ? 4 : 3;
	my @above = (0) x ($width * $bytes);
	my $rows = Compress::Zlib::uncompress($data);
	for (my $row = 0; $row < length $rows; $row += 1 + @above)
	{
		my ($filter, @line) = unpack 'C*', substr($rows, $row, 1 + @above);
		for my $i (0 .. $#line)
		{
			my ($left, $up, $corner) = ($i >= $bytes ? $line[ $i - $bytes ] : 0, $above[$i], $i >= $bytes ? $above[ $i - $bytes ] : 0);
			my $p = $left + $up - $corner;
			my ($pa, $pb, $pc) = (abs($p - $left), abs($p - $up), abs($p - $corner));
			my $paeth = $pa <= $pb && $pa <= $pc ? $left : $pb <= $pc ? $up : $corner;
			$line[$i] = ($line[$i] + (0, $left, $up, int(($left + $up) / 2), $paeth)[$filter]) & 255;
		}
		$colours{ join ',', @line[ $_ * $bytes .. $_ * $bytes + 2 ] } = 1 for 0 .. $width - 1;
		last if keys %colours >= $enough;
		@above = @line;
	}
	return scalar keys %colours;
}

my ($chromium) = grep { -x } map { "$_/chromium" } split /:/, $ENV{PATH};
SKIP:
{
	skip 'chromium is not installed', 4 unless $chromium;
	my $shown = "$dir/$superuser-postgres.html";
	for my $what ([ 'the page', $shown ], [ 'a picture', "$dir/picture.svg" ])
	{
		my ($name, $source) = @$what;
		append_to_file($source, sql(q{SELECT xtree_svg('points_xtree')})) unless -e $source;
		my $png = "$dir/screen.png";
		my $log = '';
		eval {
			IPC::Run::run [ $chromium, qw(--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
				--disable-sync), "--user-data-dir=$dir/profile", "--screenshot=$png", '--window-size=1200,2000', "file://$source" ],
			  '<', '/dev/null', '>&', \$log, IPC::Run::timeout(90);
		};
		ok(-s $png, "chromium shows $name") or diag($@ // '', $log);
	  SKIP:
		{
			skip 'there is no screenshot', 1 unless -s $png;
			my $bytes = slurp_file($png);
			is(substr($bytes, 0, 8) eq "\x89PNG\r\n\x1a\n" && colours($bytes, 10) >= 10, 1, "$name is a picture of some colours");
		}
		unlink $png;
	}
}

# A standby writes one, too, and so does a server without shared_preload_libraries.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('report_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
for my $case ([ 'xtree', '>standby, or in recovery<' ], [ '', '>no: no mappings, no pins, no background builds<' ])
{
	my ($libraries, $pattern) = @$case;
	$standby->append_conf('postgresql.conf', "shared_preload_libraries = '$libraries'");
	$standby->start;
	($status, $out, $error) = client('-h', $standby->host, '-p', $standby->port, 'postgres');
	is("$status $error", '0 ', "on a standby with shared_preload_libraries = '$libraries'");
	like($out, qr/$pattern/, 'it says what server it is');
	is(pictures($out), 3, 'with pictures');
	$standby->stop;
}

is(sql(q{SELECT count(xtree_check(indexrelid, true)) FROM pg_stat_xtree_indexes WHERE is_built}), 3, 'the indexes pass xtree_check');
$node->stop;
done_testing();
