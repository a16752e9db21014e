# xtree_recommendations: each advice is brought about, and is silent before or beside, where its reason is absent; its statement runs as it is, and then the
# advice is gone. What concerns memory needs the worker. An empty database has none.
# Seen to fail: with columns that an order by asks for left out; with scans that are not counted; with the other index of a duplicate named; with evictions that nobody loaded the index again after.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('advice');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'xtree'
xtree.naptime = '200ms'
xtree.map_after = 0
xtree.build_on_first_use = off
autovacuum = off
fsync = off
CONF
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]); }
sql('CREATE EXTENSION xtree');

# The advice of an index, or of the server, in order; `after`: xtree.recommend_after.
sub advice
{
	my ($index, $after) = @_;
	my $where = defined $index ? "indexrelname = '$index'" : 'indexrelname IS NULL';
	my $set = 'SET xtree.recommend_after = ' . ($after // 0);
	return sql("$set; SELECT string_agg(advice, ', ' ORDER BY advice) FROM xtree_recommendations WHERE $where");
}

# What a session did is counted when it has ended, or a moment later.
sub becomes
{
	my ($index, $advice, $name) = @_;
	my $seen = '';
	for (1 .. 300)
	{
		$seen = advice($index);
		last if $seen eq $advice;
		select(undef, undef, undef, 0.1);
	}
	is($seen, $advice, $name);
	return;
}

# Carries an advice out as it is written.
sub carry_out
{
	my ($index, $advice) = @_;
	my $where = defined $index ? "indexrelname = '$index'" : 'indexrelname IS NULL';
	my $statement = sql("SET xtree.recommend_after = 0; SELECT statement FROM xtree_recommendations WHERE $where AND advice = '$advice'");
	my ($status, undef, $error) = $node->psql('postgres', $statement);
	is($status, 0, "$statement") or diag($error);
	return;
}

sub scan { my ($condition, $times) = @_; return sql("SET enable_seqscan = off; " . "SELECT count(*) FROM t WHERE $condition;" x ($times // 1)); }

is(sql('SELECT count(*) FROM xtree_recommendations'), 0, 'nothing to say of a database without indexes');

# ---- Never read, and read
sql(q{CREATE TABLE t AS SELECT i AS id, point(i % 300, i / 300) AS p, point(i / 300, i % 300) AS q FROM generate_series(0, 29999) i;
	CREATE INDEX "read" ON t USING xtree (p); CREATE INDEX "un read" ON t USING xtree (q); VACUUM ANALYZE t});
scan(q{p <@ box '(0,0),(10,10)'}, 2);
becomes('read', '', 'an index that is read');
becomes('un read', 'drop: never read', 'an index that nobody reads');
is(advice('un read', q{'1 h'}), '', 'it was built a moment ago');
like(sql(q{SET xtree.recommend_after = 0; SELECT reason, saves FROM xtree_recommendations WHERE indexrelname = 'un read'}), qr/no scan since.* ago\|.*kB.*/, 'figures');
sql(q{ALTER TABLE t ADD EXCLUDE USING xtree (q WITH ~=) WHERE (id < 10)});
is(advice('t_q_excl'), '', 'a constraint needs its index');
sql('ALTER TABLE t DROP CONSTRAINT t_q_excl');
carry_out('un read', 'drop: never read');
is(advice('un read'), '', 'it is gone');

# ---- Nearly only written
sql(q{UPDATE t SET p = point(p[0], p[1] + 1) WHERE id < 1500});
sleep 1;
becomes('read', '', 'some are written');
sql(q{DELETE FROM t WHERE id >= 30000; INSERT INTO t SELECT i, point(i % 300, i / 300) FROM generate_series(0, 9999) i; DELETE FROM t WHERE ctid >= '(0,0)' AND q IS NULL});
becomes('read', 'drop: nearly only written', 'a thousand for each scan');
sql('VACUUM t');

# ---- Duplicate and covered
sql(q{CREATE INDEX again ON t USING xtree (p); CREATE INDEX "more" ON t USING xtree (id, p); CREATE INDEX part ON t USING xtree (p) WHERE id > 5;
	CREATE INDEX other_class ON t USING xtree (q)});
scan(q{p <@ box '(0,0),(10,10)'}, 60);
like(advice('again'), qr/drop: duplicate/, 'the newer of two alike');
unlike(advice('read'), qr/duplicate/, 'the older one stays');
unlike(advice('part'), qr/duplicate|covered/, 'one with a predicate is another');
unlike(advice('other_class'), qr/duplicate|covered/, 'and so is one of another column');
unlike(advice('more'), qr/duplicate|covered/, 'nobody has all of more');
unlike(advice('read'), qr/covered/, 'the other is scanned less');
carry_out('again', 'drop: duplicate');
scan(q{id = 7 AND p <@ box '(0,0),(10,10)'}, 100);
$node->poll_query_until('postgres', q{SELECT pg_stat_get_numscans('"more"'::regclass) >= 100}) or die 'not counted';
like(advice('read'), qr/drop: covered/, 'all its columns are in one that is scanned more');
sql(q{DROP INDEX "more", part, other_class});
unlike(advice('read'), qr/covered/, 'no more');

# Of expressions, wherever they stand in the statement; nobody is waited for.
sql(q{CREATE INDEX expression ON t USING xtree ((id + 1)) WHERE id > 7; CREATE INDEX  again_it  ON  t  USING  xtree  ( (id + 1) )  WHERE  id > 7;
	CREATE INDEX other_expression ON t USING xtree ((id + 2)) WHERE id > 7});
like(advice('again_it'), qr/drop: duplicate/, 'the same expression and predicate');
unlike(advice('other_expression'), qr/duplicate|covered/, 'another expression');
my $locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE t');
is($node->safe_psql('postgres', q{SET lock_timeout = '1s'; SELECT count(*) > 0 FROM xtree_recommendations}), 't', 'the table may be locked');
$locker->quit;
sql('DROP INDEX expression, again_it, other_expression');

# ---- A deferred index
sql(q{CREATE INDEX late ON t USING xtree (q) WITH (build = deferred)});
is(advice('late'), '', 'nobody has asked for it');
sql(q{SET xtree.build_on_first_use = background; EXPLAIN SELECT count(*) FROM t WHERE q <@ box '(0,0),(10,10)'});
$node->poll_query_until('postgres', q{SELECT is_built FROM pg_stat_xtree_indexes WHERE indexrelname = 'late'}) or die 'not built';
is(advice('late') =~ /build/, '', 'it was built');
sql(q{DROP INDEX late; ALTER SYSTEM SET xtree.max_build_workers = 0; SELECT pg_reload_conf(); CREATE INDEX late ON t USING xtree (q) WITH (build = deferred)});
sql(q{SET xtree.build_on_first_use = background; EXPLAIN SELECT count(*) FROM t WHERE q <@ box '(0,0),(10,10)'});
becomes('late', 'build', 'asked for, and nobody builds it');
carry_out('late', 'build');
unlike(advice('late'), qr/build/, 'built');
sql('DROP INDEX late');

# ---- Preload
sql(q{CREATE TABLE small AS SELECT point(i % 30, i / 30) AS p FROM generate_series(0, 2999) i; CREATE INDEX hot ON small USING xtree (p); VACUUM ANALYZE small});
sql('SET enable_seqscan = off;' . q{SELECT count(*) FROM small WHERE p <@ box '(0,0),(3,3)';} x 900);
$node->poll_query_until('postgres', q{SELECT pg_stat_get_numscans('hot'::regclass) >= 900 AND state = 'loaded' FROM pg_stat_xtree_indexes WHERE indexrelname = 'hot'})
  or die 'not counted';
is(advice('hot'), '', 'scanned 900 times');
sql('SET enable_seqscan = off;' . q{SELECT count(*) FROM small WHERE p <@ box '(0,0),(3,3)';} x 200);
becomes('hot', 'preload', 'scanned 1,100 times, and small');
carry_out('hot', 'preload');
is(advice('hot'), '', 'preloaded');

# ---- Fill
sql(q{CREATE TABLE thin AS SELECT i AS id, point(hashint4(i) % 1000, hashint4(-i) % 1000) AS p FROM generate_series(1, 60000) i;
	CREATE INDEX thin_p ON thin USING xtree (p); VACUUM ANALYZE thin});
unlike(advice('thin_p'), qr/fill/, 'full leaves');
sql('DELETE FROM thin WHERE id % 4 > 0; VACUUM thin');
like(advice('thin_p'), qr/reindex: low fill/, 'three quarters of the rows are gone');
carry_out('thin_p', 'reindex: low fill');
unlike(advice('thin_p'), qr/fill/, 'after REINDEX');
sql(q{SELECT xtree_check('thin_p', true); DROP TABLE thin});

# ---- A B-tree, or none
sql(q{CREATE TABLE texts AS SELECT 'k' || i AS y FROM generate_series(1, 5000) i; CREATE INDEX fine ON texts USING xtree (y); VACUUM ANALYZE texts});
like(advice('fine'), qr/use a B-tree/, 'one column with an order');
unlike(advice('read'), qr/B-tree/, 'points have none');
sql(q{CREATE INDEX two ON t USING xtree (id, q); CREATE TABLE tiny AS SELECT point(i, i) AS p FROM generate_series(1, 50) i; CREATE INDEX tiny_p ON tiny USING xtree (p);
	VACUUM ANALYZE tiny});
unlike(advice('two'), qr/B-tree/, 'two columns');
like(advice('tiny_p'), qr/drop: small table/, 'a table of one page');
unlike(advice('read'), qr/small table/, 'a larger one');
carry_out('fine', 'use a B-tree');
carry_out('tiny_p', 'drop: small table');
sql('DROP TABLE texts, tiny; DROP INDEX two');

# ---- Overlap that inserts have made
sub boxes { my ($from, $to, $size) = @_; return "INSERT INTO boxes SELECT box(point(x, y), point(x + $size, y + $size)) FROM (SELECT abs(hashint4(i)) % 1000 AS x, abs(hashint4(-i)) % 1000 AS y
	FROM generate_series($from, $to) i) s"; }
sql('CREATE TABLE boxes (b box);' . boxes(1, 40000, 2) . ';CREATE INDEX boxes_b ON boxes USING xtree (b); VACUUM ANALYZE boxes');
my $apart = sql(q{SELECT built_crowding FROM xtree_tree_state('boxes_b'::regclass)});
cmp_ok($apart, '>=', 1, 'the build has measured');
cmp_ok(abs(sql(q{SELECT xtree_crowding('boxes_b'::regclass)}) - $apart), '<', 0.15 * $apart, 'what is measured now is what the build measured');
unlike(advice('boxes_b'), qr/overlap/, 'as it was built');
sql(boxes(40001, 50000, 2));
unlike(advice('boxes_b'), qr/overlap/, 'a quarter more of the same');
sql(boxes(50001, 80000, 300));
$node->poll_query_until('postgres', q{SELECT pg_stat_get_tuples_inserted('boxes'::regclass) >= 80000}) or die 'not counted';
like(advice('boxes_b'), qr/reindex: overlap grown/, 'large boxes among small ones');
my $locked = $node->background_psql('postgres');
$locked->query_safe('BEGIN; LOCK TABLE boxes');
is($node->safe_psql('postgres', q{SET lock_timeout = '1s'; SELECT count(*) > 0 FROM xtree_recommendations}), 't', 'measuring waits for no lock of the table');
$locked->query_safe('ROLLBACK; BEGIN; REINDEX INDEX boxes_b');
is($node->safe_psql('postgres', q{SET lock_timeout = '1s'; SELECT xtree_crowding('boxes_b'::regclass) IS NULL}), 't', 'nor of the index');
$locked->query_safe('ROLLBACK');
$locked->quit;
carry_out('boxes_b', 'reindex: overlap grown');
unlike(advice('boxes_b'), qr/overlap/, 'after REINDEX it is what there is');
is(sql(q{SELECT string_agg(coalesce(xtree_crowding(i)::text, 'NULL'), ' ') FROM unnest(ARRAY['boxes'::regclass::oid, 'pg_class_oid_index'::regclass, 4000000000, 0]) i}),
	'NULL NULL NULL NULL', 'of what is no index of ours nothing is known');
sql('DROP TABLE boxes');

# ---- Columns that nobody asks for
sub sets { return 'SET enable_seqscan = off;' . ($_[0] ? '' : 'SET enable_indexonlyscan = off; SET enable_indexscan = off;'); }
sub counted { my ($index, $scans) = @_; $node->poll_query_until('postgres', "SELECT coalesce(max(scans), 0) >= $scans FROM xtree_stat_columns() WHERE indexrelid = '\"$index\"'::regclass") or die 'not counted'; return; }
sql(q{SELECT pg_stat_xtree_reset(); CREATE TABLE asked AS SELECT i AS id, i % 100 AS "A b", point(i % 300, i / 300) AS p, 'x' || i AS label FROM generate_series(0, 29999) i;
	CREATE INDEX three ON asked USING xtree (id, "A b", p) INCLUDE (label) WITH (fillfactor = 80); VACUUM ANALYZE asked});
my $query = q{SELECT count(label) FROM asked WHERE id < 100 AND p <@ box '(0,0),(10,10)';};
sql(sets(0) . $query x 900);
counted('three', 900);
unlike(advice('three'), qr/left out|leave/, 'scanned 900 times');
sql(sets(0) . $query x 200);
counted('three', 1100);
like(advice('three'), qr/leave columns out/, 'no scan of 1,100 has a condition on "A b"');
unlike(advice('three', q{'1 h'}), qr/leave columns out/, 'it has been watched for a moment');
is(sql(q{SET xtree.recommend_after = 0; SELECT reason, statement FROM xtree_recommendations WHERE advice = 'leave columns out'}),
	q{1100 scans, and none with a condition on "A b"|CREATE INDEX CONCURRENTLY ON public.asked USING xtree (id public.int4_ops, p public.point_ops) INCLUDE (label) WITH (fillfactor = '80')},
	'the rest, as it was');
sql(sets(1) . $query);
counted('three', 1101);
like(sql(q{SET xtree.recommend_after = 0; SELECT statement FROM xtree_recommendations WHERE advice = 'leave columns out'}), qr/INCLUDE \("A b", label\)/, 'index-only scans may want its values');
carry_out('three', 'leave columns out');
is(sql(q{SELECT pg_get_indexdef(max(indexrelid)) FROM pg_index WHERE indrelid = 'asked'::regclass}),
	q{CREATE INDEX asked_id_p_A b_label_idx ON public.asked USING xtree (id, p) INCLUDE ("A b", label) WITH (fillfactor='80')} =~ s/asked_id_p_A b_label_idx/"asked_id_p_A b_label_idx"/r, 'the index that it makes');
unlike(advice('three'), qr/leave columns out/, 'there is a better one now');
like(advice('three'), qr/drop: columns left out/, 'beside which this one is of no use');
unlike(advice('asked_id_p_A b_label_idx'), qr/covered|duplicate/, 'the new one is not the one to go');
carry_out('three', 'drop: columns left out');
is(sql(q{SELECT count(*) FROM xtree_recommendations WHERE advice ~ 'leave|left'}), '0', 'gone');
sql(q{CREATE INDEX three ON asked USING xtree (id, "A b", p)});
sql(sets(0) . q{DROP INDEX "asked_id_p_A b_label_idx";} . $query x 1100 . q{SELECT count(*) FROM asked WHERE "A b" = 5;});
counted('three', 1101);
unlike(advice('three'), qr/leave columns out/, 'one scan asks for it');
sql(q{SELECT pg_stat_xtree_reset(); SET enable_seqscan = off; SET enable_sort = off; SET enable_indexonlyscan = off;} . q{SELECT label FROM asked WHERE id < 100 ORDER BY p <-> point '(5,5)' LIMIT 1;} x 1000);
counted('three', 1000);
like(sql(q{SET xtree.recommend_after = 0; SELECT statement FROM xtree_recommendations WHERE advice = 'leave columns out'}), qr/xtree \(id public.int4_ops, p public.point_ops\)$/,
	'an order by asks for its column');
sql('DROP TABLE asked');

# ---- Keys that are too short
sql(q{CREATE TABLE pages AS SELECT 'https://www.example.org/' || i AS url FROM generate_series(1, 5000) i;
	CREATE INDEX urls ON pages USING xtree (url COLLATE "C" text_ops (key_bytes = 16)); CREATE INDEX hashed ON pages USING xtree (url COLLATE "C" text_ops (key_bytes = 24))});
unlike(advice('urls'), qr/key_bytes|short/, 'nothing is known of the values');
sql('VACUUM ANALYZE pages');
like(advice('urls'), qr/drop: short keys/, 'there is one with longer keys');
unlike(advice('hashed'), qr/key_bytes|short|duplicate/, 'which stays');
sql('DROP INDEX hashed');
like(advice('urls'), qr/raise key_bytes/, 'all begin alike');
carry_out('urls', 'raise key_bytes');
unlike(advice('urls'), qr/raise key_bytes/, 'done');
carry_out('urls', 'drop: short keys');
is(sql(q{SELECT count(*) FROM xtree_recommendations WHERE advice ~ 'key'}), '0', 'gone');
sql(q{CREATE TABLE alike AS SELECT 'https://www.example.org/' || i % 3 AS url FROM generate_series(1, 5000) i;
	CREATE INDEX few ON alike USING xtree (url COLLATE "C" text_ops (key_bytes = 24)); CREATE TABLE shorter AS SELECT 'n' || i % 50 AS name FROM generate_series(1, 5000) i;
	CREATE INDEX fits ON shorter USING xtree (name COLLATE "C" text_ops (key_bytes = 8)); VACUUM ANALYZE alike; VACUUM ANALYZE shorter});
unlike(advice('few'), qr/key_bytes|short/, 'a hash tells them apart');
unlike(advice('fits'), qr/key_bytes|short/, 'a hundred rows a key, since they have the same value');
sql('DROP TABLE pages, alike, shorter');

# ---- An index of so many dimensions that scans read most of it
my $columns = join ', ', map { "c$_" } 1 .. 8;
sql("CREATE TABLE wide AS SELECT i AS id, " . join(', ', map { "hashint4(i * 8 + $_)::float8 AS c$_" } 1 .. 8) . " FROM generate_series(1, 30000) i; CREATE INDEX wide_x ON wide USING xtree ($columns);
	VACUUM ANALYZE wide");
sql(sets(0) . ('SELECT count(id) FROM wide WHERE ' . join(' AND ', map { "c$_ BETWEEN -100000000 AND 100000000" } 1 .. 8) . ';') x 150);
counted('wide_x', 150);
unlike(advice('wide_x'), qr/reads most/, 'conditions on all columns');
sql('SELECT pg_stat_xtree_reset(); ' . sets(0) . 'SELECT count(id) FROM wide WHERE c1 > 0;' x 150);
counted('wide_x', 150);
like(advice('wide_x'), qr/drop: reads most of itself/, 'half of one of eight columns');
carry_out('wide_x', 'drop: reads most of itself');
is(advice('wide_x'), '', 'gone');
sql('DROP TABLE wide');

# ---- Clusters of vectors
sub vectors { my ($from, $to, $far) = @_; return "INSERT INTO notes SELECT i, (SELECT array_agg((sin((i % 20) * 12.9 + d * 78.2) + 0.3 * sin(i * 3.7 + d) + $far)::real ORDER BY d) FROM generate_series(1, 32) d) FROM generate_series($from, $to) i"; }
sql('CREATE TABLE notes (id int, v real[]); CREATE INDEX notes_v ON notes USING xtree (v);' . vectors(1, 3000, 0));
sql('VACUUM ANALYZE notes');
unlike(advice('notes_v'), qr/clusters/, 'one cluster of few rows');
sql(vectors(3001, 6000, 0));
sql('VACUUM ANALYZE notes');
like(advice('notes_v'), qr/reindex: clusters outgrown/, 'all rows are in a cluster that was made from none');
unlike(advice('notes_v'), qr/drifted/, 'nothing is known of drift');
carry_out('notes_v', 'reindex: clusters outgrown');
unlike(advice('notes_v'), qr/clusters/, 'made anew');
sql(vectors(6001, 12000, 0));
sql('VACUUM ANALYZE notes');
unlike(advice('notes_v'), qr/clusters/, 'twice as many of the same');
sql(vectors(12001, 18000, 1.5));
sql('VACUUM ANALYZE notes');
like(advice('notes_v'), qr/reindex: clusters drifted/, 'rows far from all centroids') or diag(sql(q{SELECT string_agg(t::text, ' ') FROM xtree_cluster_info('notes_v') t}));
unlike(advice('notes_v'), qr/outgrown/, 'but not eight times as many');
carry_out('notes_v', 'reindex: clusters drifted');
unlike(advice('notes_v'), qr/clusters/, 'made anew');
sql(q{SELECT xtree_check('notes_v', true); DROP TABLE notes});

# ---- A quota, a budget
# Loading brings the pages above leaves. The leaves come when a scan reads them through the mapping, as one that visits the table does, and are then
# more than is allowed.
sub load_and_evict
{
	my ($index) = @_;
	my $evictions = "SELECT coalesce(max(number), 0) FROM pg_stat_xtree_events WHERE kind = 'evict' AND indexrelname = '$index'";
	my $before = sql($evictions);
	my $gone = "($evictions) > $before";
	my $visit = q{SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(id) FROM t WHERE p <@ box '(0,0),(300,300)'};
	sql($visit);
	$node->poll_query_until('postgres', "SELECT $gone OR state = 'loaded' FROM pg_stat_xtree_indexes WHERE indexrelname = '$index'") or die "$index is not loaded";
	sql($visit) if sql("SELECT $gone") ne 't';
	$node->poll_query_until('postgres', "SELECT $gone") or die "$index is not evicted";
	return;
}
sql('SELECT pg_stat_xtree_reset()');
unlike(advice('read'), qr/quota/, 'no quota');
sql(q{ALTER INDEX "read" SET (memory_quota = '16kB')});
load_and_evict('read') for 1 .. 2;
unlike(advice('read'), qr/quota/, 'evicted twice');
load_and_evict('read') for 1 .. 2;
like(advice('read'), qr/raise memory_quota/, 'evicted four times, and loaded again thrice');
carry_out('read', 'raise memory_quota');
sql('SELECT pg_stat_xtree_reset()');
scan(q{p <@ box '(0,0),(300,300)'});
$node->poll_query_until('postgres', q{SELECT state = 'loaded' FROM pg_stat_xtree_indexes WHERE indexrelname = 'read'}) or die 'not loaded';
unlike(advice('read'), qr/quota/, 'the quota is large enough');
unlike(advice(undef), qr/budget/, 'no budget');
sql(q{ALTER SYSTEM SET xtree.memory_budget = '64kB'; SELECT pg_reload_conf()});
load_and_evict('read') for 1 .. 4;
like(advice(undef), qr/raise xtree.memory_budget/, 'evicted for the budget, and loaded again');
carry_out(undef, 'raise xtree.memory_budget');
sql('SELECT pg_reload_conf(), pg_stat_xtree_reset()');
cmp_ok(sql(q{SELECT memory_budget FROM pg_stat_xtree_memory}), '>', sql(q{SELECT pg_relation_size('"read"')}), 'the budget has room for it');
is(advice(undef), '', 'nothing more');

# ---- Pins
sql(q{ALTER SYSTEM SET xtree.pin_memory_limit = '16kB'; ALTER SYSTEM SET xtree.hot_page_threshold = 0.001; SELECT pg_reload_conf()});
for (1 .. 60)
{
	scan(q{p <@ box '(0,0),(300,300)'}, 20);
	last if advice(undef) =~ /pin_memory_limit/;
	sleep 1;
}
like(advice(undef), qr/raise xtree.pin_memory_limit/, 'more hot pages than are pinned');
carry_out(undef, 'raise xtree.pin_memory_limit');
sql('SELECT pg_reload_conf()');
becomes(undef, '', 'enough now');
sql(q{ALTER SYSTEM SET xtree.pin_memory_limit = '1GB'; SELECT pg_reload_conf(), xtree_unload('"read"'), xtree_unload('hot')});
my $worker = sql('SELECT pid FROM pg_stat_xtree_worker');
command_ok([ 'prlimit', '--pid', $worker, '--memlock=8192:8192' ], 'the operating system lets the worker lock a page');
scan(q{p <@ box '(0,0),(300,300)'}, 20);
$node->poll_query_until('postgres', q{SELECT pin_failures > 0 FROM pg_stat_xtree_memory}) or die 'nothing is pinned';
like(advice(undef), qr/raise the limit of locked memory/, 'pages could not be locked');

sql(q{ALTER SYSTEM SET xtree.pin_memory_limit = 0; SELECT pg_reload_conf()});
becomes(undef, '', 'nobody wants pages to be pinned');

# ---- Mapping: so far pages came through mappings
sql('SELECT pg_stat_xtree_reset(); SET enable_seqscan = off; SET enable_bitmapscan = off;' . q{SELECT count(p) FROM t WHERE p <@ box '(0,0),(300,300)';} x 100);
becomes(undef, 'turn mapping off', 'index-only scans');
carry_out(undef, 'turn mapping off');
is(advice(undef), '', 'off');
sql(q{SELECT xtree_check('"read"', true), xtree_check('hot', true)});
$node->stop;
done_testing();
