# History: samples are taken, survive restarts and crashes, and go with their index; what they say of use, of the unusual and of the future; and
# xtree.predictive_load, which loads what will be wanted. Histories of days are written here, in the format of src/history/history_file.cpp.
# Seen to fail: without the checksum of a sample; with hours of another time zone; with hot sets that are not read.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('history');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
xtree.naptime = '100ms'
xtree.history_interval = '1s'
xtree.map_after = 0
xtree.idle_timeout = 0
autovacuum = off
fsync = off
timezone = 'UTC'
log_timezone = 'UTC'
CONF
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]); }

# Asks again until the answer is the expected one, for at most a minute; what the worker does takes a moment.
sub becomes
{
	my ($query, $expected, $name) = @_;
	my $seen;
	for (1 .. 600)
	{
		$seen = sql($query);
		last if $seen eq $expected;
		usleep(100_000);
	}
	is($seen, $expected, $name);
	return;
}

sub configure
{
	my ($setting, $value) = @_;
	sql("ALTER SYSTEM SET $setting = '$value'");
	sql('SELECT pg_reload_conf()');
	becomes("SELECT current_setting('$setting')", $value, "$setting is $value");
	return;
}

# ---- Samples of what goes on
sql(q{CREATE EXTENSION xtree;
	CREATE TABLE t AS SELECT i AS id, point(i % 300, i / 300) AS p FROM generate_series(0, 29999) i;
	CREATE INDEX t_p ON t USING xtree (p); CREATE INDEX t_id ON t USING xtree (id); VACUUM ANALYZE t});
is(sql('SELECT count(*) FROM pg_stat_xtree_history'), 0, 'an index that nobody has used has no history');
is(sql('SELECT count(*) FROM pg_stat_xtree_usage'), 0, 'nor use');
my $scan = q{SET enable_seqscan = off; SET enable_indexonlyscan = off; SELECT count(id) FROM t WHERE p <@ box '(0,0),(50,50)'};
sql($scan);
becomes(q{SELECT count(*) > 1 FROM pg_stat_xtree_history WHERE indexrelname = 't_p'}, 't', 'samples are taken');
sql($scan) for 1 .. 3;
sql(q{INSERT INTO t VALUES (-1, '(1,1)'), (-2, '(2,2)')});
becomes(q{SELECT sum(scans) >= 3 AND sum(tuples) >= 3 * 2601 AND sum(reads) > 0 AND sum(writes) >= 2 FROM pg_stat_xtree_history WHERE indexrelname = 't_p'}, 't',
	'scans, tuples, pages and rows written are in them');
is(sql(q{SELECT count(*) FROM pg_stat_xtree_history WHERE indexrelname = 't_id'}), 0, 'only of what is used');
is(sql(q{SELECT bool_and(size = pg_relation_size('t_p') AND resident_bytes BETWEEN 0 AND size AND coalesce(hit_rate BETWEEN 0 AND 1, true))
	FROM pg_stat_xtree_history WHERE indexrelname = 't_p'}), 't', 'sizes are');
is(sql(q{SELECT count(*) FROM (SELECT sampled_at - lag(sampled_at) OVER (ORDER BY sampled_at) AS gap, period FROM pg_stat_xtree_history WHERE indexrelname = 't_p') s
	WHERE gap IS DISTINCT FROM period}), 0, 'each has the time since the one before');
is(sql(q{SELECT count(*) FROM pg_stat_xtree_history WHERE period IS NULL AND scans IS NULL}), 1, 'the first has none, and no counts');
my $oid = sql(q{SELECT 't_p'::regclass::oid});
my $database = sql('SELECT oid FROM pg_database WHERE datname = current_database()');
my $directory = $node->data_dir . '/pg_stat/xtree';
my $file = "$directory/$database/$oid.history";
ok(-f $file, 'there is a file');

is(sql(q{SELECT bool_and(overlap >= 1) FROM pg_stat_xtree_history WHERE indexrelname = 't_p'}), 't', 'and how many nodes lie over one place');

# ---- Restart, crash, damage
my $before = sql(q{SELECT count(*) FROM pg_stat_xtree_history});
configure('xtree.history_interval', '0');
sql('SELECT pg_sleep(0.3)');
my $kept = sql(q{SELECT count(*) FROM pg_stat_xtree_history});
sql($scan);
sql('SELECT pg_sleep(1.5)');
is(sql('SELECT count(*) FROM pg_stat_xtree_history'), $kept, 'with an interval of 0 none is taken');
cmp_ok($kept, '>=', $before, 'those that were are kept');
$node->restart;
is(sql('SELECT count(*) FROM pg_stat_xtree_history'), $kept, 'over a restart too');
$node->stop('immediate');
$node->start;
is(sql('SELECT count(*) FROM pg_stat_xtree_history'), $kept, 'and over a crash');
sub patch { my ($at, $bytes) = @_; open my $f, '+<:raw', $file or die; seek $f, $at, 0; print $f $bytes; close $f; return; }
sub slurp { open my $f, '<:raw', $_[0] or die; local $/; my $all = <$f>; close $f; return $all; }
my $whole = slurp($file);
my ($first) = grep { substr($whole, 16 + 104 * $_, 8) ne "\0" x 8 } 0 .. (length($whole) - 16) / 104 - 1;
patch(16 + 104 * $first + 24, "\xff\xff");
is(sql('SELECT count(*) FROM pg_stat_xtree_history'), $kept - 1, 'a damaged sample is left out');
truncate $file, 16 + 104 * $first + 50;
is(sql('SELECT count(*) FROM pg_stat_xtree_history'), 0, 'so is what is cut off');
patch(0, 'what is this');
is(sql('SELECT count(*) FROM pg_stat_xtree_history'), 0, 'a file of another kind has none');
configure('xtree.history_interval', '1s');
sql($scan);
becomes(q{SELECT count(*) > 1 FROM pg_stat_xtree_history}, 't', 'and gives way to a new one');

# ---- Retention, and the end of an index
configure('xtree.history_retention', '1min');
becomes(q{SELECT count(*) > 2 FROM pg_stat_xtree_history}, 't', 'another retention: samples are taken');
is(-s $file < 16 + 104 * 100 ? 'small' : -s $file, 'small', 'the file is as large as the retention needs');
configure('xtree.history_retention', '30d');
sql('CREATE TABLE u AS SELECT * FROM t; CREATE INDEX u_p ON u USING xtree (p)');
sql(q{SET enable_seqscan = off; SELECT count(id) FROM u WHERE p <@ box '(0,0),(1,1)'});
my $other = sql(q{SELECT 'u_p'::regclass::oid});
becomes(q{SELECT count(*) > 0 FROM pg_stat_xtree_history WHERE indexrelname = 'u_p'}, 't', 'another index');
sql('DROP TABLE u');
my $gone;
for (1 .. 600) { last if $gone = !-e "$directory/$database/$other.history"; usleep(100_000); }
ok($gone, 'the history goes with its index');

# ---- Histories of days
my @crc_table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0x82F63B78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;
sub crc32c { my $c = 0xffffffff; $c = $crc_table[($c ^ ord) & 0xff] ^ ($c >> 8) for split //, $_[0]; return $c ^ 0xffffffff; }

# Writes the history of an index: samples are [time in seconds since 1970, bytes, resident bytes, scans, writes, load in ms, loads, evictions], cumulative; then overlap.
sub write_history
{
	my ($index, $interval, $retention_minutes, @samples) = @_;
	my $capacity = int($retention_minutes * 60 / $interval) + 1;
	$capacity = 10000 if $capacity > 10000;
	my %record;
	for my $s (@samples)
	{
		my ($time, $bytes, $resident, $scans, $writes, $load, $loads, $evictions, $overlap) = @$s;
		my $us = int(($time - 946684800) * 1000) * 1000;
		my $sample = pack('q11 d', $us, $bytes, $resident, $scans, $scans * 10, $scans * 5, 0, $writes, $loads // 0, $evictions // 0, ($load // 0) * 1000, $overlap // 0);
		$record{ int($us / ($interval * 1_000_000)) % $capacity } = $sample . pack('LL', crc32c($sample), 0);
	}
	my $content = pack('L4', 0x58544849, 1, 104, $capacity);
	$content .= $record{$_} // "\0" x 104 for 0 .. $capacity - 1;
	my $path = "$directory/$index.history";
	open my $f, '>:raw', $path or die "$path: $!";
	print $f $content;
	close $f;
	return;
}

sub id_of { return "$database/" . sql("SELECT '$_[0]'::regclass::oid"); }

# The worker shall not write meanwhile: its next sample is an hour away, or none is taken.
configure('xtree.history_interval', '1h');
my $hour = 3600;
my $now = int(time / $hour) * $hour;
my $days = 6;

# [scans, writes] of each hour of the last days, by a function of day and hour of the day; to the history of an index without samples of its own.
sub hours
{
	my ($index, $count, $shape) = @_;
	my ($scans, $writes, @samples) = (0, 0);
	my $hours = 24 * $days;
	my $origin = int($now / 86400) * 86400 - ($days - 1) * 86400;
	for my $h (0 .. $hours - 1)
	{
		my $at = $origin + $h * $hour + 5;
		last if $at > $now - $hour;
		my ($more, $written) = $count->(int($h / 24), $h % 24);
		push @samples, [ $at, ($shape // sub { 1 << 20 })->($h), 8192, $scans, $writes, 0 ];
		$scans += $more;
		$writes += $written;
	}
	push @samples, [ $now - $hour + 5, ($shape // sub { 1 << 20 })->(($now - $hour - $origin) / $hour), 8192, $scans, $writes, 0 ];
	write_history(id_of($index), $hour, 30 * 24 * 60, @samples);
	return;
}

sql('CREATE TABLE v AS SELECT * FROM t LIMIT 1000');
sql("CREATE INDEX v_$_ ON v USING xtree (p)") for qw(idle reads writes mixed bursts daily grows);
hours('v_idle', sub { (0, 0) });
hours('v_reads', sub { (100 + ($_[0] * 7 + $_[1] * 11) % 20, 1) });
hours('v_writes', sub { (1, 100) });
hours('v_mixed', sub { (100, 50) });
hours('v_bursts', sub { (($_[0] * 24 + $_[1]) % 37 == 5 ? 1000 : 1, 0) });
hours('v_daily', sub { ($_[1] == 8 || $_[1] == 9 ? 500 : 0, 0) });
my $use = q{SELECT concat_ws(' ', use, pattern, period, begins_at) FROM pg_stat_xtree_usage WHERE indexrelname};
is(sql("$use = 'v_idle'"), 'idle', 'an idle index');
is(sql("$use = 'v_reads'"), 'read-mostly steady', 'one that is read');
is(sql("$use = 'v_writes'"), 'write-mostly steady', 'one that is written');
is(sql("$use = 'v_mixed'"), 'mixed steady', 'one that is both');
is(sql("$use = 'v_bursts'"), 'read-mostly bursty', 'in bursts');
is(sql("$use = 'v_daily'"), 'read-mostly periodic 1 day 08:00:00', 'daily');
is(sql("SET timezone = 'Asia/Kolkata'; $use = 'v_daily'"), 'read-mostly periodic 1 day 13:00:00', 'in the time zone of whoever asks: to the hour, since samples are');
is(sql(q{SELECT extract(hour FROM next_use) IN (8, 9) AND next_use BETWEEN now() - interval '1 hour' AND now() + interval '1 day' FROM pg_stat_xtree_usage WHERE indexrelname = 'v_daily'}),
	't', 'with its next use');
is(sql(q{SELECT usual_scans FROM pg_stat_xtree_usage WHERE indexrelname = 'v_writes'}), 1, 'and the usual scans');
is(sql(q{SELECT count(*) FROM pg_stat_xtree_usage WHERE indexrelname IN ('v_reads', 'v_idle', 'v_daily') AND unusual IS NOT NULL}), 0, 'nothing is unusual');
write_history(id_of('v_idle'), $hour, 30 * 24 * 60, map { [ $now - (20 - $_) * $hour + 5, 8192, 0, $_, 0, 0 ] } 0 .. 5);
is(sql("$use = 'v_idle'"), '', 'too few samples to say');

# ---- The unusual, in the view and as an event of the worker's
is(sql(q{SELECT count(*) FROM pg_stat_xtree_events WHERE kind = 'unusual'}), 0, 'no event so far');
write_history(id_of('v_mixed'), $hour, 30 * 24 * 60, map { [ $now - (40 - $_) * $hour + 5, 8192, 0, 10 * $_ + ($_ == 39 ? 5000 : 0), 0, $_ % 2 ? 900 : 1, $_, $_ == 39 ? 50 : 0, $_ == 39 ? 4.5 : 1.1 ] } 0 .. 39);
like(sql(q{SELECT unusual FROM pg_stat_xtree_usage WHERE indexrelname = 'v_mixed'}), qr/^scans 5010, usually 0 to 110; pages read 25050, usually 0 to \d+; evictions 50, usually 0 to \d+; nodes over a place 4.5, usually [\d.]+ to [\d.]+$/,
	'scans, pages, evictions and overlap beyond what is usual');
# One whose history had no scans: the worker's next sample, which is its first after a restart, has some.
$node->safe_psql('postgres', 'SET enable_seqscan = off; ' . join ';', map { "SELECT count(*) FROM v WHERE p <@ box '(0,0),(1,1)'" } 1 .. 400);
{
	my $used = sql(q{SELECT indexrelname FROM pg_stat_xtree_indexes WHERE relname = 'v' AND scans >= 400 LIMIT 1});
	ok($used ne '', "one of them was scanned: $used");
	write_history(id_of($used), $hour, 30 * 24 * 60, map { [ $now - (40 - $_) * $hour + 5, 8192, 0, 0, 0, 0 ] } 1 .. 39);
	$node->restart;
	becomes(qq{SELECT reason FROM pg_stat_xtree_events WHERE kind = 'unusual' AND indexrelname = '$used' AND reason ~ '^scans 4'}, 'scans 400, usually 0 to 100', 'the worker says so');
}

# ---- The future
my $mb = 1 << 20;
hours('v_grows', sub { (1, 1) }, sub { 1024 * $mb * (100 + $_[0]) });    # a gigabyte an hour, which fills any disk within years
my $forecast = q{SELECT (expected_size - size) / 1073741824, size_per_day / 1073741824, least_size <= expected_size AND expected_size <= most_size FROM xtree_forecast('10 days') WHERE index};
my ($growth, $per_day, $ordered) = split /\|/, sql("$forecast = 'v_grows'::regclass");
cmp_ok(abs($growth - 240), '<=', 3, "in ten days 240 hours' growth: $growth GB");
cmp_ok(abs($per_day - 24), '<=', 1, 'of 24 GB a day');
is($ordered, 't', 'within its range');
is(sql(q{SELECT expected_size IS NULL AND size = 8192 FROM xtree_forecast() WHERE index = 'v_idle'::regclass}), 't', 'too few samples for a forecast: the size alone');
is(sql(q{SELECT count(*) FROM xtree_forecast() WHERE index IS NULL AND tablespace IS NOT NULL AND size > 0}), 1, 'the sum of the tablespace');
is(sql(q{SELECT bool_and(disk_full_at > now()) FROM xtree_forecast() WHERE index = 'v_grows'::regclass OR (index IS NULL AND tablespace IS NOT NULL)}), 't', 'whose disk will be full');
is(sql(q{SELECT disk_full_at IS NULL FROM xtree_forecast() WHERE index = 'v_daily'::regclass}), 't', 'not by one that does not grow');
my ($status, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT * FROM xtree_forecast('-1 day')");
like($error, qr/22023: the interval of a forecast must not be negative.*HINT/s, 'the past is no forecast');
write_history('0/0', $hour, 30 * 24 * 60, map { [ $now - (100 - $_) * $hour + 5, 0, $_ * $mb, 0, 0, 0 ] } 1 .. 99);
configure('xtree.memory_budget', '196MB');
my $met = sql(q{SELECT extract(epoch FROM budget_met_at - now()) / 3600 FROM xtree_forecast() WHERE index IS NULL AND tablespace IS NULL});
ok($met > 80 && $met < 120, "the budget of 196 MB is met in about 97 hours by a growth of a megabyte an hour: $met") or diag($met);
configure('xtree.memory_budget', '-1');
is(sql(q{SELECT budget_met_at IS NULL FROM xtree_forecast() WHERE index IS NULL AND tablespace IS NULL}), 't', 'without a budget never');

my $page = sql('SELECT xtree_report(0)');
is(() = $page =~ /<svg [^>]*class="xtree-chart"/g, 3, 'the report has charts of it');
like($page, qr/v_daily.*periodic.*08:00:00/, 'and says how indexes are used');
like($page, qr/v_grows<.*in 30 days|in 30 days.*v_grows</s, 'and what they will be');

# ---- Loaded ahead: what is used daily
sql('ALTER SYSTEM SET xtree.predictive_load = on');
configure('xtree.history_interval', '1min');
configure('xtree.history_retention', '5d');
sql('CREATE TABLE w AS SELECT * FROM t; CREATE INDEX w_a ON w USING xtree (p)');
sql('CREATE TABLE x AS SELECT * FROM t; CREATE INDEX x_b ON x USING xtree (p)');
my $use_a = q{SET enable_seqscan = off; SELECT count(id) FROM w WHERE p <@ box '(0,0),(20,20)'};
my $use_b = q{SET enable_seqscan = off; SELECT count(id) FROM x WHERE p <@ box '(0,0),(20,20)'};
my $state = q{SELECT state FROM pg_stat_xtree_indexes WHERE indexrelname};
sql("$use_a; $use_b");
becomes("$state = 'w_a'", 'loaded', 'used, it is loaded');
sql(q{SELECT xtree_unload('w_a')});
is(sql("$state = 'w_a'"), 'registered', 'and let go');
{
	# Each day used for an hour from the next minute on: the worker sees it when it takes its first sample.
	my $minute = int(time / 60) * 60;
	my ($scans, @samples) = (0);
	for my $m (-4 * 1440 .. -1)
	{
		push @samples, [ $minute + $m * 60 + 1, $mb, 8192, $scans, 0, 0 ];
		my $of_day = $m % 1440;
		$scans += 10 if $of_day >= 1 && $of_day < 61;
	}
	write_history(id_of('w_a'), 60, 5 * 1440, @samples);
}
$node->restart;
becomes("$state = 'w_a'", 'loaded', 'before the hour of its daily use it is loaded, though nobody asked for it');
like(sql(q{SELECT string_agg(reason, ' ') FROM pg_stat_xtree_events WHERE indexrelname = 'w_a'}), qr/asked for ahead: it is used from 20/, 'the event says why');

# ---- Loaded ahead: what follows
sql("SELECT xtree_unload('x_b')");
for my $session (1 .. 4)
{
	sql("$use_a; $use_b");
	sql("SELECT xtree_unload('x_b')");
}
is(sql("$state = 'x_b'"), 'registered', 'the second of two is not loaded');
sql($use_a);
becomes("$state = 'x_b'", 'loaded', 'but when a session uses the first, after which sessions used it');
like(sql(q{SELECT string_agg(reason, ' ') FROM pg_stat_xtree_events WHERE indexrelname = 'x_b'}), qr/asked for ahead: sessions use it after the index with OID \d+/, 'the event says why');

# ---- What was loaded is loaded again
unlink glob("$directory/$database/*.history");
configure('xtree.history_interval', '0');
sql("$use_a; $use_b");
$node->restart;
becomes("$state = 'w_a'", 'loaded', 'after a restart');
like(sql(q{SELECT string_agg(reason, ' ') FROM pg_stat_xtree_events WHERE indexrelname = 'w_a'}), qr/read in: pages that were in memory before/, 'with its pages');
$node->stop('immediate');
$node->start;
becomes("$state = 'w_a'", 'loaded', 'after a crash');
my $hot = "$directory/" . id_of('w_a') . '.hot';
ok(-f $hot, 'by a file');
$node->stop('immediate');
{ open my $f, '+<:raw', $hot or die; seek $f, 60, 0; print $f "\xff\xff\xff\xff"; close $f; }
$node->start;
becomes("$state = 'x_b'", 'loaded', 'the other');
isnt(sql("$state = 'w_a'"), 'loaded', 'a damaged file says nothing');
is(sql($use_a), sql("SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; SELECT count(id) FROM w WHERE p <@ box '(0,0),(20,20)'"), 'and does no harm');
sql('REINDEX INDEX x_b');
$node->stop('immediate');
$node->start;
is(sql("SELECT xtree_check('x_b', true)"), '', 'of an index that was rebuilt');
is(sql($use_b), sql("SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT count(id) FROM x WHERE p <@ box '(0,0),(20,20)'"), 'answers are right');
configure('xtree.predictive_load', 'off');
$node->stop('immediate');
$node->start;
sql('SELECT pg_sleep(0.5)');
isnt(sql("$state = 'x_b'"), 'loaded', 'off: nothing is loaded ahead');

# ---- Without preload
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
sql(q{ALTER SYSTEM RESET ALL});
$node->restart;
is(sql('SELECT (SELECT count(*) FROM pg_stat_xtree_history) + (SELECT count(*) FROM pg_stat_xtree_usage) + (SELECT count(*) FROM xtree_forecast())'), 0, 'without preload nothing is known');
is(sql("SELECT xtree_check(i, true) FROM unnest('{t_p,t_id,w_a,x_b,v_reads}'::regclass[]) i"), join("\n", ('') x 5), 'checks');
$node->stop;
done_testing();
