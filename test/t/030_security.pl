# What a role without rights, a curious one and an attacker with a schema of their own can do: every function of the extension called by
# somebody who owns nothing; what the views tell of rows behind row security; and hostile functions, operators, types and tables of the
# names that the install scripts use, put first in the search path of the superuser who installs and uses the extensions.
# Seen to fail: without the test for the owner in OpenXtreeIndex; with the text of an error shown to everybody in last_error, or in
# events; with `1 - ...::float8` in pg_stat_xtree_builds (no such operator exists in pg_catalog, so the attacker's is taken);
# with `classid = ...::regclass` in the script of xtree_btree_gist; with unqualified types in that of xtree_cube; and with an oid compared to a regtype or an integer in those of xtree_btree_gist and xtree_isn.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('security');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = xtree
autovacuum = off
fsync = off
CONF
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The SQLSTATE of a statement that fails, of one that does not its answer.
sub outcome
{
	my ($user, $statement) = @_;
	my ($status, $out, $error) = $node->psql('postgres', "SET ROLE $user;\n\\set VERBOSITY verbose\n$statement", on_error_stop => 1);
	return $error =~ /ERROR:  (\w{5}):/ ? $1 : "status $status: $out";
}

my $server_start = sql('SELECT pg_postmaster_start_time()');
sql(q{CREATE EXTENSION xtree;
	CREATE ROLE alice; CREATE ROLE bob; CREATE SCHEMA s AUTHORIZATION alice; GRANT USAGE ON SCHEMA s TO bob;
	SET ROLE alice;
	CREATE TABLE s.t (id int, secret text);
	INSERT INTO s.t SELECT i, CASE i WHEN 77 THEN 'xyzzy4711' ELSE i::text END FROM generate_series(1, 300) i;
	CREATE INDEX t_x ON s.t USING xtree (id);
	CREATE INDEX t_b ON s.t USING btree (id);
	CREATE TABLE s.parted (a int) PARTITION BY RANGE (a);
	CREATE TABLE s.part PARTITION OF s.parted FOR VALUES FROM (0) TO (9);
	CREATE INDEX parted_x ON s.parted USING xtree (a);
	ALTER TABLE s.t ENABLE ROW LEVEL SECURITY;
	CREATE POLICY low ON s.t FOR SELECT TO bob USING (id < 10);
	GRANT SELECT ON s.t TO bob});
is(outcome('bob', 'SELECT count(*) FROM s.t'), 'status 0: 9', 'row security hides rows from bob');

# Each function of the extension: for the owner of the index, for those whom a superuser allows, or for everybody. One that is in no list
# fails the test.
my %owned = map { $_ => 1 } ('xtree_check(regclass,boolean)', 'xtree_index_info(regclass)', 'xtree_cluster_info(regclass)', 'xtree_nodes(regclass)', 'xtree_extent(regclass)', 'xtree_load(regclass)',
	'xtree_svg(regclass,integer[],integer,integer,double precision[],double precision[],integer,integer,integer)',
	'xtree_unload(regclass)', 'xtree_unpin(regclass)', 'xtree_build(regclass)');
my %granted = ('xtree_unload_cold(bigint)' => '1', 'xtree_unload_idle(interval)' => "'1 day'", 'xtree_pin_hot(bigint)' => '1',
	'pg_stat_xtree_reset(regclass)' => "'s.t_x'");
# They read statistics and catalogs, or compute with their arguments.
my %harmless = (
	'xtree_preloaded()' => '', 'xtree_counted()' => '', 'xtree_mapping()' => '', 'xtree_stat_indexes()' => '', 'xtree_stat_pages()' => '', 'xtree_stat_memory()' => '',
	'xtree_stat_worker()' => '', 'xtree_stat_events()' => '', 'xtree_metrics()' => '', 'xtree_build_state(oid)' => "'s.t_x'::regclass", 'xtree_tree_state(oid)' => "'s.t_x'::regclass",
	'xtree_storage_options(text[])' => "'{preload=on}'", 'xtree_file_bytes(oid,oid)' => '0, 1259',
	'xtree_stat_columns()' => '', 'xtree_crowding(oid)' => "'s.t_x'::regclass",
	'xtree_estimate(text)' => q{'CREATE INDEX ON pg_class USING xtree (reltuples)'}, 'xtree_estimate(regclass,text[])' => q{'pg_class', VARIADIC '{reltuples,oid}'},
	'xtree_report(integer,integer,integer)' => '4, 200, 50',
	'xtree_index_history(oid)' => '0', 'xtree_index_usage(oid)' => '1259', 'xtree_forecast(interval)' => "'1 day'",
	'xtree_page_suggestion(double precision,double precision,boolean,integer,bigint,bigint,integer)' => '1, 1, false, 0, 1, 1, 1',
	'xtree_l2_distance(real[],real[])' => "'{1}'::real[], '{2}'::real[]", 'xtree_l1_distance(real[],real[])' => "'{1}'::real[], '{2}'::real[]",
	'xtree_l2_distance(double precision[],double precision[])' => "'{1}'::float8[], '{2}'::float8[]",
	'xtree_l1_distance(double precision[],double precision[])' => "'{1}'::float8[], '{2}'::float8[]",
	'xtree_negative_inner_product(real[],real[])' => "'{1}'::real[], '{2}'::real[]",
	'xtree_negative_inner_product(double precision[],double precision[])' => "'{1}'::float8[], '{2}'::float8[]",
	'xtree_cosine_distance(real[],real[])' => "'{1}'::real[], '{2}'::real[]",
	'xtree_cosine_distance(double precision[],double precision[])' => "'{1}'::float8[], '{2}'::float8[]",
	'xtree_window(double precision[],double precision[])' => "'{1}', '{2}'",
	'xtree_in_window(real[],xtree_window)' => "'{1}'::real[], xtree_window('{0}', '{2}')",
	'xtree_window_contains(xtree_window,real[])' => "xtree_window('{0}', '{2}'), '{1}'::real[]",
	'xtree_in_window(double precision[],xtree_window)' => "'{1}'::float8[], xtree_window('{0}', '{2}')",
	'xtree_window_contains(xtree_window,double precision[])' => "xtree_window('{0}', '{2}'), '{1}'::float8[]");

sql(q{CREATE TABLE s.vectors (v real[]); INSERT INTO s.vectors SELECT ARRAY[i, i % 7] FROM generate_series(1, 50) i;
	CREATE INDEX vectors_v ON s.vectors USING xtree (v) WITH (structure = clusters)});
my @bad = (["'s.t_b'", '42809', 'an index of another access method'], ["'s.t'", '42809', 'a table'], ["'s.parted_x'", '42809', 'a partitioned index'],
	['4000000000', '42704', 'an OID of nothing'], ["'pg_stats'", '42809', 'a view'], ["'pg_class_oid_index'", '42809', 'an index of the system']);
my $rows = sql(q{SELECT p.oid::regprocedure, p.proname, p.prokind, p.proisstrict, 'internal'::regtype = ANY (p.proargtypes),
		has_function_privilege('bob', p.oid, 'EXECUTE')
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_proc p ON p.oid = d.objid
	WHERE d.deptype = 'e' AND d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'xtree' ORDER BY 1});
my %seen;
for (split /\n/, $rows)
{
	my ($function, $name, $kind, $strict, $internal, $allowed) = split /\|/;
	my $call = ($kind eq 'p' ? 'CALL' : 'SELECT') . " $name";
	$seen{$function} = 1;
	if ($internal eq 't')
	{
		is($strict, 't', "$function: no NULL gets to it, and SQL has no other value of type internal");
	}
	elsif ($owned{$function})
	{
		is(outcome('bob', "$call('s.t_x')"), '42501', "$function: refused to who does not own the index");
		is(outcome('bob', "$call('s.t_b')"), '42501', "$function: nor does it tell anything of that of another access method");
		is(outcome('bob', "$call('s.parted_x')"), $name eq 'xtree_build' ? '42501' : '42809', "$function: a partitioned index of somebody else");
		for (@bad)
		{
			my ($argument, $state, $what) = @$_;
			next if $name eq 'xtree_build' && $argument =~ /parted/;  # it takes them
			is(outcome('postgres', "$call($argument)"), $state, "$function: $what is an error");
		}
		is(outcome('postgres', "$call(NULL)"), $strict eq 't' ? 'status 0: ' : '22004', "$function: NULL");
	}
	elsif (defined $granted{$function})
	{
		is($allowed, 'f', "$function: PUBLIC may not execute it");
		is(outcome('bob', "$call($granted{$function})"), '42501', "$function: refused");
	}
	elsif (defined $harmless{$function})
	{
		my $arguments = $harmless{$function};
		like(outcome('bob', "$call($arguments)"), qr/^status 0/, "$function: for everybody");
		my $nulls = join ', ', map { /^text\[\]$/ && $name eq 'xtree_estimate' ? 'VARIADIC NULL::text[]' : /xtree_window/ ? 'NULL::xtree_window' : "NULL::$_" } split /,/, $function =~ s/.*\((.*)\)/$1/r;
		like(outcome('bob', "$call($nulls)"), qr/^status 0/, "$function: NULL does no harm");
	}
	elsif ($name eq 'xtree_recall')
	{
		# It reads the table as any query of the caller's.
		is($allowed, 't', "$function: for everybody");
		is(outcome('bob', "$call('s.vectors_v')"), '42501', "$function: who may not read the table hears nothing of it");
		like(outcome('postgres', "$call('s.vectors_v', 3, 5)"), qr/^status 0: \(1,/, "$function: who may does");
		is(outcome('bob', "$call($_->[0])"), $_->[1], "$function: $_->[2] is an error") for @bad, ["'s.t_x'", '42809', 'an index without clusters'];
		like(outcome('bob', "$call(NULL)"), qr/^status 0/, "$function: NULL does no harm");
	}
	else
	{
		fail("$function is in no list of this test");
	}
}
is_deeply([ grep { !$seen{$_} } sort keys %owned, keys %granted, keys %harmless ], [], 'all functions in the lists exist');
is(outcome('bob', "SELECT rows FROM xtree_estimate($_)"), '42501', "xtree_estimate($_): he does not see all rows") for "'s.t', 'id'", "'CREATE INDEX ON s.t USING xtree (id)'";
is(outcome('bob', "SELECT rows FROM xtree_estimate('s.parted', 'a')"), '42501', 'xtree_estimate of a table that he may not read');
is(outcome('alice', "SELECT rows FROM xtree_estimate('s.t', 'id')"), 'status 0: 300', 'xtree_estimate: the owner does');
like(outcome('bob', "SELECT xtree_build_state($_)"), qr/^(status 0|\w{5})/, "xtree_build_state($_)") for "'s.t'::regclass", "'s.t_b'::regclass",
	"'s.parted_x'::regclass", '4000000000', "'pg_stats'::regclass";
like(outcome('bob', "SELECT xtree_file_bytes($_)"), qr/^(status 0|\w{5})/, "xtree_file_bytes($_)") for '0, 0', '4000000000, 4000000000', '1664, 1262';
like(outcome('bob', "SELECT xtree_storage_options('{$_}')"), qr/^(status 0|\w{5})/, "xtree_storage_options({$_})") for 'NULL', 'a', '=', 'preload=xyz';
is(sql('SELECT pg_postmaster_start_time()'), $server_start, 'the server has not crashed');

# Who has MAINTAIN on the table may build, load and unload its indexes, and still sees nothing of what is in them.
SKIP:
{
	skip 'PostgreSQL 17 and newer have MAINTAIN', 10 if $node->pg_version < 17;
	sql('SET ROLE alice; GRANT MAINTAIN ON s.t, s.parted, s.part TO bob');
	like(outcome('bob', $_), qr/^status 0/, "with MAINTAIN: $_") for q{SELECT xtree_load('s.t_x')}, q{SELECT xtree_unpin('s.t_x')}, q{SELECT xtree_unload('s.t_x')},
		q{CALL xtree_build('s.t_x')}, q{CALL xtree_build('s.parted_x')};
	is(outcome('bob', "SELECT $_('s.t_x')"), '42501', "with MAINTAIN: not $_") for qw(xtree_check xtree_index_info xtree_nodes xtree_extent xtree_svg);
	sql('SET ROLE alice; REVOKE MAINTAIN ON s.t, s.parted, s.part FROM bob');
}

# The views: columns of types that hold numbers, times and names, and no text that quotes a row.
sql(q{ALTER TABLE s.t OWNER TO alice; SET ROLE alice; CREATE INDEX t_bad ON s.t USING xtree ((secret::int)) WITH (build = deferred)});
is(outcome('alice', 'CALL xtree_build($$s.t_bad$$)'), '22P02', 'a build fails with an error that quotes a value');
is(sql(q{SELECT string_agg(DISTINCT a.atttypid::regtype::text, ' ' ORDER BY a.atttypid::regtype::text) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relname LIKE 'pg_stat_xtree_%' AND a.attnum > 0}),
	'bigint boolean double precision integer interval name oid text timestamp with time zone', 'types of the columns of views');
is(sql(q{SELECT string_agg(c.relname || '.' || a.attname, ' ' ORDER BY c.relname, a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relname LIKE 'pg_stat_xtree_%' AND a.attnum > 0 AND a.atttypid = 'text'::regtype}),
	join(' ', map { "pg_stat_xtree_$_" } qw(events.kind events.reason indexes.state indexes.strategy indexes.last_error indexes.build_phase
		memory.last_pin_failure memory.mapping pages.suggestion usage.use usage.pattern usage.unusual worker.state worker.last_error)), 'those that hold text');
my $errors = q{SELECT (SELECT last_error FROM pg_stat_xtree_indexes WHERE indexrelname = 't_bad'),
	(SELECT reason FROM pg_stat_xtree_events WHERE indexrelname = 't_bad' AND kind = 'failure'), (SELECT last_error_time > '2000-01-01'
	FROM pg_stat_xtree_indexes WHERE indexrelname = 't_bad')};
my $message = 'invalid input syntax for type integer: "xyzzy4711"';
is(outcome('alice', $errors), "status 0: $message|not built: $message|t", 'the owner sees why');
is(outcome('pg_read_all_stats', $errors), "status 0: $message|not built: $message|t", 'so does pg_read_all_stats');
is(outcome('bob', $errors), 'status 0: ||t', 'others see only that there was an error');
my @views = split /\n/, sql(q{SELECT relname FROM pg_class WHERE (relname LIKE 'pg_stat_xtree_%' OR relname = 'xtree_recommendations') AND relkind = 'v' ORDER BY 1});
is(@views, 9, 'views');
my $all = join ' UNION ALL ', map { "SELECT v::text FROM $_ v" } @views, map { "$_()" } qw(xtree_stat_indexes xtree_stat_events xtree_stat_pages);
my $shown = outcome('bob', $all);
like($shown, qr/^status 0: .*t_bad/s, 'bob sees the index in views');
unlike($shown, qr/xyzzy|4711/, 'and nothing of its values');
sql(q{SET ROLE alice; DROP INDEX s.t_bad});
unlike(outcome('bob', $all), qr/xyzzy|4711/, 'nor after the index is gone');
$node->safe_psql('template1', 'CREATE DATABASE elsewhere TEMPLATE postgres');  # indexes of the same OIDs
is($node->safe_psql('elsewhere', q{SELECT count(*) > 0, count(indexrelname), count(relname), count(schemaname), count(reason)
	FROM pg_stat_xtree_events WHERE datname = 'postgres' AND indexrelid IS NOT NULL}), 't|0|0|0|0', 'another database sees no names, nor reasons');
is(sql(q{SELECT xtree_check('s.t_x', true)}), '', 'the index passes xtree_check');

# A hostile schema: operators of all names in the scripts for all pairs of types (those that pg_catalog has are hidden by it, those that
# it has not match better than what it has), functions, types and relations. A call counts in a sequence, which no ROLLBACK undoes.
my $hostile = q{
	CREATE ROLE attacker;
	CREATE SCHEMA evil AUTHORIZATION attacker; CREATE SCHEMA base; CREATE SCHEMA ext; CREATE SCHEMA data;
	SET ROLE attacker;
	CREATE SEQUENCE evil.calls;
	CREATE TYPE evil.cube AS (a int); CREATE TYPE evil.geometry AS (a int); CREATE TYPE evil.geography AS (a int);
	CREATE TYPE evil.seg AS (a int); CREATE TYPE evil.isbn AS (a int); CREATE TYPE evil.ean13 AS (a int);
	CREATE TABLE evil.pg_class (oid oid); CREATE TABLE evil.pg_index (indexrelid oid); CREATE TABLE evil.pg_am (amname name);
	CREATE TABLE evil.pg_extension (extname name); CREATE TABLE evil.pg_operator (oid oid); CREATE TABLE evil.pg_opclass (oid oid);
	DO $do$
	DECLARE
	  types text[] := '{int2,int4,int8,float4,float8,numeric,oid,regclass,regtype,name,text,"\"char\"",bool,timestamptz,interval,evil.cube,evil.geometry,evil.seg,evil.isbn}';
	  l text; r text; o text; result text;
	BEGIN
	  FOREACH l IN ARRAY types LOOP
	    FOREACH r IN ARRAY types LOOP
	      FOREACH result IN ARRAY ARRAY['bool', 'float8'] LOOP
	        EXECUTE format('CREATE FUNCTION evil.%I(a %s, b %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN
	          PERFORM pg_catalog.nextval(''evil.calls''); RAISE EXCEPTION ''hostile''; END $f$', 'f_' || result, l, r, result);
	        FOREACH o IN ARRAY CASE result WHEN 'bool' THEN ARRAY['=', '<', '>', '<=', '>=', '<>', '&&', '@>', '<@', '~=', '~~'] ELSE ARRAY['+', '-', '*', '/', '<->'] END LOOP
	          EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.%I, LEFTARG = %s, RIGHTARG = %s)', o, 'f_' || result, l, r);
	        END LOOP;
	      END LOOP;
	    END LOOP;
	  END LOOP;
	  FOR o, l, result IN SELECT DISTINCT p.proname, pg_get_function_identity_arguments(p.oid), format_type(p.prorettype, NULL) FROM pg_proc p
	    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset AND p.proname IN ('current_setting',
	      'current_database', 'pg_relation_size', 'format', 'float8', 'int8', 'int4', 'text', 'regclass', 'now', 'set_config') AND p.provariadic = 0
	      AND pg_get_function_identity_arguments(p.oid) NOT LIKE '%"%'
	  LOOP
	    EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN
	      PERFORM pg_catalog.nextval(''evil.calls''); RAISE EXCEPTION ''hostile''; END $f$', o, l, result);
	  END LOOP;
	END $do$;
	CREATE FUNCTION evil.current_setting(text, text) RETURNS text LANGUAGE sql AS $$SELECT pg_catalog.nextval('evil.calls')::text$$;
	CREATE FUNCTION evil.pg_relation_size(oid) RETURNS int8 LANGUAGE sql AS $$SELECT pg_catalog.nextval('evil.calls')$$;
	CREATE FUNCTION evil.step(int8) RETURNS int8 LANGUAGE sql AS $$SELECT pg_catalog.nextval('evil.calls')$$;
	CREATE AGGREGATE evil.count(*) (SFUNC = evil.step, STYPE = int8)};

my @installed = grep { -e "$_->[2]" } map { [ @$_, share() . "/extension/$_->[0].control" ] } ([ 'cube', 'xtree_cube' ], [ 'btree_gist', 'xtree_btree_gist' ],
	[ 'seg', 'xtree_seg' ], [ 'isn', 'xtree_isn' ], [ 'postgis', 'xtree_postgis' ], [ 'vector', 'xtree_vector' ]);

sub share { my ($directory) = run_command([ 'pg_config', '--sharedir' ]); chomp $directory; return $directory; }

$node->safe_psql('postgres', 'CREATE DATABASE hostile TEMPLATE template0');
$node->safe_psql('hostile', $hostile);
$node->safe_psql('hostile', "CREATE EXTENSION $_->[0] SCHEMA base") for @installed;
$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE hostile") for 'first', 'temporary';

# One value of each type per row, in a table of its own. Those of the classes for enums and arrays are made where they are used.
my %values = (
	point_ops => 'point(i, i % 17)', box_ops => 'box(point(i, i), point(i + 3, i + 5))', circle_ops => 'circle(point(i, i), i % 7 + 1)',
	poly_ops => 'polygon(box(point(i, i), point(i + 3, i + 5)))', int2_ops => '(i % 90)::int2', int4_ops => 'i', int8_ops => 'i::int8', float4_ops => 'i::float4',
	float8_ops => 'i::float8', numeric_ops => 'i::numeric / 7', date_ops => "'2020-01-01'::date + i", timestamp_ops => "'2020-01-01'::timestamp + i * interval '1 hour'",
	timestamptz_ops => "'2020-01-01'::timestamptz + i * interval '1 hour'", oid_ops => 'i::oid', money_ops => 'i::money', time_ops => "'00:00'::time + i * interval '1 minute'",
	bool_ops => 'i % 2 = 0', char_ops => q{chr(65 + i % 50)::"char"}, macaddr_ops => q{('08:00:2b:01:02:' || to_hex(i % 240 + 16))::macaddr},
	macaddr8_ops => q{('08:00:2b:01:02:03:04:' || to_hex(i % 240 + 16))::macaddr8}, timetz_ops => "('00:00'::time + i * interval '1 minute')::timetz",
	interval_ops => "i * interval '1 hour'", uuid_ops => 'md5(i::text)::uuid', enum_ops => "(ARRAY['a', 'b', 'c'])[i % 3 + 1]::data.mood", text_ops => 'md5(i::text)',
	bpchar_ops => 'md5(i::text)::bpchar', bytea_ops => 'md5(i::text)::bytea', bit_ops => 'i::bit(16)', varbit_ops => 'i::bit(16)::varbit',
	inet_ops => q{('10.0.0.' || i % 250)::inet}, float4_vector_ops => 'ARRAY[i, i % 17]::float4[]', float8_vector_ops => 'ARRAY[i, i % 17]::float8[]',
	vector_ops => 'ARRAY[i, i % 17]::float4[]::base.vector', halfvec_ops => 'ARRAY[i, i % 17]::float4[]::base.halfvec',
	range_ops => 'int4range(i, i + 5)', multirange_ops => 'int4multirange(int4range(i, i + 5))', cube_ops => 'base.cube(ARRAY[i, i % 17]::float8[])',
	seg_ops => q{(i || ' .. ' || i + 5)::base.seg}, (map { $_->[0] . '_ops' => "base.ean13_in(('$_->[1]' || lpad(i::text, 12 - length('$_->[1]'), '0') || '0')::cstring)::base.$_->[0]" }
		[ ean13 => '400' ], [ isbn => '978' ], [ isbn13 => '978' ], [ ismn => '9790' ], [ ismn13 => '9790' ], [ issn => '977' ], [ issn13 => '977' ], [ upc => '0' ]),
	(map { $_ => 'base.ST_Point(i % 90, i % 17)' } qw(geometry_ops_2d geometry_ops_nd geometry_ops_3d)), geography_ops => 'base.ST_Point(i % 90, i % 17)::base.geography');

sub calls { return $node->safe_psql($_[0], 'SELECT is_called FROM evil.calls'); }

# $path at the installation puts the extensions into $schema; hostile objects come first in $path.
sub attack
{
	my ($database, $schema, $path, $clause, $before) = @_;
	my ($status, $out, $error) = $node->psql($database, "$before; SET search_path = $path; " .
		join '', map { "CREATE EXTENSION $_ $clause;" } 'xtree', map { $_->[1] } @installed);
	is($error, '', "$database: installed") or return;
	is(calls($database), 'f', "$database: the scripts called nothing hostile");
	is($node->safe_psql($database, q{SELECT string_agg(DISTINCT n.nspname, ' ') FROM pg_amop m JOIN pg_am a ON a.oid = m.amopmethod
		JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE a.amname = 'xtree' AND n.nspname NOT IN ('pg_catalog', 'base')
		AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid WHERE d.objid = o.oid AND d.deptype = 'e' AND e.extname = 'xtree')}), '',
		"$database: operators of classes are of pg_catalog or of extensions");
	is($node->safe_psql($database, q{SELECT count(*) FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod JOIN pg_type t ON t.oid = c.opcintype
		WHERE a.amname = 'xtree' AND t.typnamespace = 'evil'::regnamespace}), 0, "$database: so are their types");
	is($node->safe_psql($database, q{SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_proc p ON p.oid = d.objid
		JOIN pg_language l ON l.oid = p.prolang WHERE d.deptype = 'e' AND d.classid = 'pg_proc'::regclass AND e.extname LIKE 'xtree%'
		AND l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL
		AND NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%')}), 0,
		"$database: functions in SQL are resolved when they are created, or have a search_path of their own");

	# Classes under the names of peers are in the families of these.
	my @classes = split /\n/, $node->safe_psql($database, q{SELECT DISTINCT ON (c.opcname) c.opcname, n.nspname, o.oprname, o.oprright::regtype::text LIKE '%xtree_window'
		FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoppurpose = 's'
		JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE a.amname = 'xtree'
		AND (m.amoprighttype = c.opcintype OR o.oprright::regtype::text LIKE '%xtree_window') AND c.opcname !~ '^(sp)?gist_' ORDER BY c.opcname, m.amopstrategy});
	is_deeply([ map { (split /\|/)[0] } @classes ], [ sort grep { classes_of($_) } keys %values ], "$database: every operator class has values here");
	my $safe = (classes_of('isbn_ops') ? 'SELECT base.isn_weak(true);' : '') . "CREATE TYPE data.mood AS ENUM ('a', 'b', 'c');";
	my $script = "SET search_path = evil, pg_temp, pg_catalog, $schema;\n";
	for (@classes)
	{
		my ($class, $home, $operator, $window) = split /\|/;
		$safe .= "CREATE TABLE data.$class AS SELECT $values{$class} AS v FROM generate_series(1, 200) i;";
		my $constant = $window eq 't' ? "$schema.xtree_window('{20,0}', '{99,9}')" : "(SELECT v FROM data.$class OFFSET 100 LIMIT 1)";
		my $query = "SELECT pg_catalog.count(*) FROM data.$class WHERE v OPERATOR($home.$operator) $constant";
		$script .= "CREATE INDEX ${class}_x ON data.$class USING xtree (v $schema.$class);
			SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $query;
			SET enable_seqscan = off; SET enable_indexscan = on; SET enable_bitmapscan = on; SET enable_indexonlyscan = on; $query;
			EXPLAIN (COSTS OFF) $query;
			SELECT $schema.xtree_check('data.${class}_x', true);\n\\echo == $class\n";
	}
	$node->safe_psql($database, $safe);
	$out = $node->safe_psql($database, $script);
	my @wrong;
	my @parts = split /^== (\w+)$/m, $out;
	my $answered = 0;
	while (@parts >= 2)
	{
		my ($text, $class) = splice @parts, 0, 2;
		my ($scan, $index) = $text =~ /(\d+)\n(\d+)\n/;
		push @wrong, "$class: $text" unless defined $index && $scan == $index && $text =~ /${class}_x/;
		$answered++;
	}
	is("@wrong", '', "$database: indexes of all operator classes answer as sequential scans do");
	is($answered, scalar @classes, "$database: all were asked");

	$node->safe_psql($database, "SET search_path = evil, pg_temp, pg_catalog, $schema; " . join '; ', (map { "SELECT * FROM $schema.$_" } @views),
		(map { "SELECT * FROM $schema.$_()" } grep { /^xtree_stat_|^xtree_preloaded/ } map { s/\(.*//r } sort keys %harmless),
		(map { "SELECT $schema.$_('data.int4_ops_x')" } qw(xtree_index_info xtree_nodes xtree_svg xtree_load xtree_unpin xtree_unload)), "SELECT $schema.xtree_report()");
	is($node->safe_psql($database, "SET search_path = evil, pg_temp, pg_catalog, $schema;
		SELECT indexes, built, not_built, not_loaded OPERATOR(pg_catalog.>) '0'::float8 FROM $schema.pg_stat_xtree_builds"), @classes . '|' . @classes . '|0|t', "$database: the views are right");
	is($node->safe_psql($database, "SET search_path = evil, pg_temp, pg_catalog, $schema;
		SELECT $schema.xtree_page_suggestion(1, 1, false, 0, 8, 8, 0), $schema.xtree_page_suggestion(1, 2, false, 1, 8, 1, 0)"), 'pin|prefetch',
		"$database: so are the functions");
	is(calls($database), 'f', "$database: nothing hostile was ever called");
}

# Is the extension of this class installed here?
sub classes_of
{
	my ($class) = @_;
	my %of = (cube_ops => 'cube', seg_ops => 'seg', (map { ($_ . '_ops') => 'isn' } qw(ean13 isbn isbn13 ismn ismn13 issn issn13 upc)),
		(map { $_ => 'postgis' } qw(geometry_ops_2d geometry_ops_nd geometry_ops_3d geography_ops)), map { $_ => 'vector' } qw(vector_ops halfvec_ops));
	return !$of{$class} || grep { $_->[0] eq $of{$class} } @installed;
}

attack('hostile', 'ext', 'evil, pg_temp, ext', 'SCHEMA ext', 'SELECT');
attack('first', 'evil', 'evil, base', '', 'SELECT');  # the first schema is the one that they go to
attack('temporary', 'ext', 'pg_temp, evil, ext', 'SCHEMA ext', q{CREATE TEMP TABLE pg_class (oid oid); CREATE TEMP TABLE pg_index (oid oid);
	CREATE TEMP TABLE pg_extension (extname name); CREATE TEMP TABLE pg_stat_xtree_indexes (state text, is_built bool, is_stale bool)});
$node->psql('hostile', 'SELECT 1::int8 OPERATOR(evil.=) 1::int8');
is(calls('hostile'), 't', 'a hostile call would have been noticed');
$node->stop;
done_testing();
