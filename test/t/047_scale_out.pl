# docs/scale-out.md: a table over three servers (partitions behind postgres_fdw, each with xtree indexes of its own, and a local one) answers as one table
# does, while rows move, are deleted and vacuumed on each server: windows, pruned by the partitions' bounds; the nearest, merged from servers that
# each return theirs in order; operators of the extension itself; prepared statements. The plans ship what the document says. A deferred index of a shard
# is built there because the coordinator's queries ask for it; statistics of all servers are one view. A shard that is down is an ERROR, and only of queries
# that need it. Then a thousand native partitions: only the indexes that queries touch are used and loaded.
# Seen to fail: with the local partition's index on other columns; with a row added to a shard that the one table does not have; with a query that touches
# four partitions where three were expected.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub server
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = xtree
xtree.map_after = 0
xtree.naptime = 100ms
autovacuum = off
fsync = off
CONF
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
	return $node;
}
my ($coordinator, @shards) = map { server($_) } qw(coordinator east west);

sub by { return $coordinator->safe_psql('postgres', $_[0]); }

# ---- Three servers: January and February on shards, March here; beside it all rows in one table without an index.
my $columns = '(id int, at date, p point, v real[])';
$_->safe_psql('postgres', "CREATE TABLE taxi $columns; CREATE INDEX taxi_p ON taxi USING xtree (p, at); CREATE INDEX taxi_v ON taxi USING xtree (v)") for @shards;
my $connections = join "\n", map { sprintf q{
	CREATE SERVER %1$s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%2$s', port '%3$s', dbname 'postgres', extensions 'xtree', async_capable 'true', fetch_size '50');
	CREATE USER MAPPING FOR CURRENT_USER SERVER %1$s;
	CREATE SCHEMA at_%1$s;
	IMPORT FOREIGN SCHEMA public LIMIT TO (pg_stat_xtree_indexes) FROM SERVER %1$s INTO at_%1$s;}, $_->name, $_->host, $_->port } @shards;
by("CREATE EXTENSION postgres_fdw; $connections
	CREATE TABLE one $columns;
	CREATE TABLE taxi $columns PARTITION BY RANGE (at);
	CREATE FOREIGN TABLE taxi_1 PARTITION OF taxi FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') SERVER east OPTIONS (table_name 'taxi');
	CREATE FOREIGN TABLE taxi_2 PARTITION OF taxi FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') SERVER west OPTIONS (table_name 'taxi');
	CREATE TABLE taxi_3 PARTITION OF taxi FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
	CREATE INDEX ON taxi USING xtree (p, at);
	CREATE INDEX ON taxi USING xtree (v);
	SELECT setseed(0.5);
	INSERT INTO one SELECT i, date '2026-01-01' + (random() * 88)::int, CASE WHEN i % 100 > 0 THEN point((random() * 1000)::int, (random() * 1000)::int) END,
		ARRAY[random(), random(), random()] FROM generate_series(1, 12000) i;
	INSERT INTO taxi TABLE one;
	ANALYZE taxi_1; ANALYZE taxi_2; ANALYZE taxi_3");
is(by(q{SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname ~ '^taxi'}), 4, 'CREATE INDEX on the table passes foreign partitions by');

# All conditions of the three kinds, for one table and for the other.
sub questions
{
	my ($table) = @_;
	return join ";\n", 'SELECT setseed(0.25)', map { my $n = $_; (
		"SELECT $n, 'window', count(*), sum(id) FROM $table WHERE p <@ box(point($n * 120, 100), point($n * 120 + 80, 900))",
		"SELECT $n, 'pruned', count(*), sum(id) FROM $table WHERE p <@ box(point(100, $n * 100), point(900, $n * 100 + 200)) AND at BETWEEN '2026-02-07' AND '2026-02-20'",
		"SELECT $n, 'limit', count(*), sum(id) FROM $table WHERE p <-> point($n * 140, 500) < 40",
		"SELECT $n, 'nearest', array_agg(d) FROM (SELECT p <-> point(500, $n * 140) AS d FROM $table ORDER BY p <-> point(500, $n * 140) LIMIT 130) n",
		"SELECT $n, 'nearest of days', array_agg(d) FROM (SELECT p <-> point(500, $n * 140) AS d FROM $table
			WHERE at > '2026-02-25' ORDER BY p <-> point(500, $n * 140) LIMIT 20) n",
		"SELECT $n, 'vectors', array_agg(id) FROM (SELECT id FROM $table ORDER BY v <-> ARRAY[0.1, 0.5, $n / 8.0]::real[], id LIMIT 20) n",
		"SELECT $n, 'vector window', count(*), sum(id) FROM $table WHERE v <@ xtree_window(ARRAY[0.1, 0.5, $n / 8.0]::real[], ARRAY[0.3, 0.7, 1]::real[])",
		"SELECT $n, 'null', count(*) FROM $table WHERE p IS NULL") } 0 .. 7;
}
sub agree
{
	my ($when) = @_;
	my $expected = by('SET enable_indexscan = off; SET enable_bitmapscan = off;' . questions('one'));
	is(by(questions('taxi')), $expected, "$when: the servers answer as one table");
	is(by('SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; SET enable_sort = off;' . questions('taxi')), $expected, "$when: also with generic plans, in order");
	is($_->safe_psql('postgres', q{SELECT xtree_check('taxi_p', true), xtree_check('taxi_v', true)}), '|', "$when: xtree_check of " . $_->name) for @shards;
}
agree('at first');

# ---- What is shipped.
sub plan_of { return by("EXPLAIN (VERBOSE, COSTS OFF) $_[0]"); }
sub remote { return join "\n", plan_of($_[0]) =~ /(Remote SQL: .*)/g; }

my $nearest = q{SELECT id FROM taxi ORDER BY p <-> point '(500,500)' LIMIT 10};
my $merged  = plan_of($nearest);
like($merged, qr/Merge Append/, 'the nearest of all servers are merged');
unlike($merged, qr/\bSort\b(?! Key)/, 'without a sort here');
is(scalar(() = $merged =~ /Remote SQL: .* ORDER BY \(p <-> '\(500,500\)'(::point)?\)/g), 2, 'each shard sends its rows in order');
like($merged, qr/Index Scan using .*\n.*\n *Order By: \(taxi_3\.p <-> /, 'and the local partition by its index');
my $limited = join ' UNION ALL ', map { "(SELECT id, p <-> point '(500,500)' AS d FROM taxi_$_ ORDER BY p <-> point '(500,500)' LIMIT 10)" } 1, 2;
is(scalar(() = remote("$limited ORDER BY d LIMIT 10") =~ /ORDER BY .* LIMIT 10/g), 2, 'a LIMIT of each partition goes with it');

my $pruned = q{SELECT id FROM taxi WHERE p <@ box '(10,10),(60,60)' AND at BETWEEN '2026-02-03' AND '2026-02-05'};
like(plan_of($pruned), qr/^Foreign Scan on public\.taxi_2 .*\n.*\n *Remote SQL: .*p <@ .*at >= [^\n]*\Z/, 'a window of days goes to one server alone, whole');
my $window = q{SELECT id FROM taxi WHERE p <@ box '(10,10),(60,60)'};
is(scalar(() = plan_of($window) =~ /Async Foreign Scan/g), 2, 'a window of all days asks the shards at once');
by("ALTER SERVER $_ OPTIONS (SET async_capable 'false')") for qw(east west);
unlike(plan_of($window), qr/Async/, 'unless the option is off');
by("ALTER SERVER $_ OPTIONS (SET async_capable 'true')") for qw(east west);

my $vectors = q{SELECT id FROM taxi ORDER BY v <-> '{0.5,0.5,0.5}'::real[] LIMIT 10};
my $boxes   = q{SELECT id FROM taxi WHERE v <@ xtree_window('{0.1,0.1,0.1}'::real[], '{0.2,0.2,0.2}'::real[])};
is(scalar(() = remote($vectors) =~ /ORDER BY \(v OPERATOR\(public\.<->\)/g), 2, "the extension's own distance is shipped");
is(scalar(() = remote($boxes) =~ /OPERATOR\(public\.<@\)/g), 2, 'its windows, too');
by("ALTER SERVER $_ OPTIONS (DROP extensions)") for qw(east west);
unlike(remote($vectors) . remote($boxes), qr/ORDER BY|WHERE/, 'neither is where the wrapper is not told of the extension');
is(by($boxes . ' ORDER BY id'), by('SET enable_indexscan = off; SET enable_bitmapscan = off;' . $boxes =~ s/taxi/one/r . ' ORDER BY id'), 'which costs time, and no rows');
by("ALTER SERVER $_ OPTIONS (ADD extensions 'xtree')") for qw(east west);

# How much of a shard's index a LIMIT reads: rows come by fetch_size.
sub shard_stats { return map { $_->safe_psql('postgres', q{SELECT scans, tuples FROM pg_stat_xtree_indexes WHERE indexrelname = 'taxi_p'}) } @shards; }
my @before = shard_stats();
by($nearest);
my @after = shard_stats();
for my $i (0, 1)
{
	my ($scans, $tuples) = map { (split /\|/, $after[$i])[$_] - (split /\|/, $before[$i])[$_] } 0, 1;
	is($scans, 1, $shards[$i]->name . ' was asked once for the nearest, by its index');
	ok($tuples >= 10 && $tuples <= 150, "and read $tuples entries of thousands");
}

# ---- Rows move, are deleted and come, through the coordinator.
for my $table (qw(taxi one))
{
	by("UPDATE $table SET p = point((id * 7919) % 1000, (id * 104729) % 1000) WHERE id % 3 = 0 AND p IS NOT NULL; DELETE FROM $table WHERE id % 10 = 1;
		INSERT INTO $table SELECT 20000 + i, date '2026-01-01' + i % 89, point(i % 1000, (i * 31) % 1000), ARRAY[i % 7 / 7.0, i % 11 / 11.0, i / 3000.0] FROM generate_series(1, 3000) i");
	by("UPDATE $table SET at = at + 31 WHERE id % 50 = 0 AND at < '2026-02-01'") if $table eq 'one';
}
# postgres_fdw cannot move a row from one shard to another in an UPDATE; deleting and inserting does.
by(q{WITH moved AS (DELETE FROM taxi WHERE id % 50 = 0 AND at < '2026-02-01' RETURNING *) INSERT INTO taxi SELECT id, at + 31, p, v FROM moved});
$_->safe_psql('postgres', 'VACUUM ANALYZE taxi') for @shards;
by('VACUUM ANALYZE taxi_3; ANALYZE taxi_1; ANALYZE taxi_2');
agree('after changes');

# ---- Statistics of all servers in one view, and a deferred index.
by(q{CREATE VIEW all_servers AS
	SELECT 'east' AS server, * FROM at_east.pg_stat_xtree_indexes UNION ALL
	SELECT 'west', * FROM at_west.pg_stat_xtree_indexes UNION ALL
	SELECT 'here', * FROM pg_stat_xtree_indexes});
is(by(q{SELECT string_agg(DISTINCT server, ' ' ORDER BY server) FROM all_servers WHERE scans > 0 AND state IN ('loaded', 'loading')}), 'east here west', 'statistics of all servers');

$shards[0]->safe_psql('postgres', 'CREATE INDEX taxi_day ON taxi USING xtree (at, id) WITH (build = deferred)');
my $days = q{SELECT count(*) FROM taxi WHERE at BETWEEN '2026-01-05' AND '2026-01-06' AND id < 300};
is(by(q{SELECT state FROM all_servers WHERE indexrelname = 'taxi_day'}), 'unbuilt', 'an index of one shard is not built');
my $expected = by($days =~ s/taxi/one/r);
is(by($days), $expected, 'the query that asks for it');
ok($coordinator->poll_query_until('postgres', q{SELECT is_built AND state <> 'building' FROM all_servers WHERE indexrelname = 'taxi_day'}), 'has it built, there');
is(by($days), $expected, 'the same answer');
is($shards[0]->safe_psql('postgres', q{SELECT scans > 0 FROM pg_stat_xtree_indexes WHERE indexrelname = 'taxi_day'}), 't', 'by that index');
is($shards[0]->safe_psql('postgres', q{SELECT xtree_check('taxi_day', true)}), '', 'xtree_check');

# ---- A shard that is down.
my $january = q{SELECT count(*), sum(id) FROM taxi WHERE p <@ box '(0,0),(500,500)' AND at < '2026-02-01'};
$shards[1]->stop('immediate');
is(by($january), by($january =~ s/taxi/one/r), 'queries that do not need it go on');
my ($status, undef, $error) = $coordinator->psql('postgres', $window);
ok($status != 0 && $error =~ /could not connect to server "west"/, 'others are an ERROR');
$shards[1]->start;
agree('when it is back');
is(by(q{SELECT xtree_check(indexrelid, true) FROM pg_index WHERE indrelid = 'taxi_3'::regclass}), "\n", 'xtree_check here');
$_->stop for @shards;

# ---- A thousand native partitions.
by(q{
	CREATE TABLE days (id int, day int, p point) PARTITION BY RANGE (day);
	DO $$ BEGIN FOR i IN 0 .. 999 LOOP EXECUTE format('CREATE TABLE days_%1$s PARTITION OF days FOR VALUES FROM (%1$s) TO (%2$s)', i, i + 1); END LOOP; END $$;
	INSERT INTO days SELECT i, i % 1000, point(i % 97, i % 89) FROM generate_series(1, 20000) i});
by('CREATE INDEX ON days USING xtree (p)');
sub touched { return by(q{SELECT count(*) FILTER (WHERE scans > 0) || ' of ' || count(*) FROM pg_stat_xtree_indexes WHERE relname LIKE 'days\_%'}); }
sub shared_before { return by('SELECT registered FROM pg_stat_xtree_memory'); }
my $registered = shared_before();
is(touched(), '0 of 1000', 'a thousand partitions have an index each');
my $three = q{SET enable_seqscan = off; SELECT count(*), sum(id) FROM days WHERE day BETWEEN 500 AND 502 AND p <@ box '(10,10),(60,60)'};
my $three_by_scan = by('SET enable_indexscan = off; SET enable_bitmapscan = off;' . $three =~ s/SET enable_seqscan = off;//r);
is(by($three), $three_by_scan, 'a window of three days');
is(touched(), '3 of 1000', 'uses the indexes of three partitions');
ok($coordinator->poll_query_until('postgres', q{SELECT count(*) = 3 FROM pg_stat_xtree_indexes WHERE relname LIKE 'days\_%' AND state = 'loaded'}), 'which alone are loaded');
is(shared_before() - $registered, 3, 'and registered');
is(by(q{SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE q(int) AS SELECT count(*) FROM days WHERE day = $1 AND p <@ box '(0,0),(99,99)'; EXECUTE q(7)}),
	20, 'where the day is known as late as at the execution');
is(touched(), '4 of 1000', 'one more');
my $first = q{SELECT p <-> point '(500,500)' FROM days ORDER BY p <-> point '(500,500)' LIMIT 1};
is(by("SET enable_seqscan = off; $first"), by("SET enable_indexscan = off; $first"), 'the nearest of all partitions');
is(touched(), '1000 of 1000', 'asks all of them');
is(by(q{SELECT count(xtree_check(i.indexrelid, true)) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relkind = 'i' AND c.relname LIKE 'days\_%'}), 1000, 'xtree_check');
$coordinator->stop;
done_testing();
