# xtree_metrics() and monitoring/: the text's format, its numbers beside those of the views, limits, rights, histograms, what is known without preload, ten
# thousand indexes; the SQL of the query files, the dashboard's expressions, alerts; and with Debian's prometheus and prometheus-postgres-exporter
# that both take what there is to scrape, under some load.
# Seen to fail: with a label that is not escaped; with families in the order in which they are made; with a metric renamed; with an index summed up that is
# listed; with a histogram that a second mapping of a session counts in; with the progress of builds read past the view; with a column
# missing in a query.
use strict;
use warnings;

use CPAN::Meta::YAML;
use HTTP::Tiny;
use IO::Socket::INET;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $root = $ENV{XTREE_SOURCE} or die 'XTREE_SOURCE does not name the checkout';
my $monitoring = "$root/monitoring";
my @processes;  # that END stops, whatever happens
my $web_server;
END
{
	my $status = $?;
	eval { $_->kill_kill(grace => 5) } for @processes;
	kill 'KILL', $web_server if $web_server;
	$? = $status;
}

my $node = PostgreSQL::Test::Cluster->new('metrics');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = xtree
autovacuum = off
fsync = off
xtree.naptime = 1h
xtree.map_after = 0
xtree.memory_budget = 1GB
xtree.build_on_first_use = off
CONF
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The text as {family}{labels in order} = value, families' types, and what is wrong with it.
sub parse
{
	my ($text) = @_;
	my (%value, %type, @order, @wrong);
	my ($family, $helped) = ('', '');
	for (split /\n/, $text)
	{
		if (/^# HELP (\w+) \S.*$/) { $helped = $1; push @wrong, "again: $1" if $type{$1}; }
		elsif (/^# TYPE (\w+) (counter|gauge|histogram)$/)
		{
			push @wrong, "no HELP: $1" if $1 ne $helped;
			($family, $type{$1}) = ($1, $2);
			push @order, $1;
		}
		elsif (/^(\w+?)(_bucket|_sum|_count)?(?:\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\S+)$/ || /^(\w+)()(?:\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\S+)$/)
		{
			my ($name, $suffix, $labels, $number) = ($1, $2 // '', $3 // '', $4);
			if (($type{$family} // '') ne 'histogram') { $name .= $suffix; $suffix = ''; }
			push @wrong, "outside of its family: $_" if $name ne $family;
			push @wrong, "no number: $_" if $number !~ /^-?\d+(\.\d+)?(e[-+]?\d+)?$/;
			my %label = map { my ($n, $v) = /^(\w+)="(.*)"$/s; $v =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ge; $n => $v } $labels =~ /(\w+="(?:[^"\\]|\\.)*")/g;
			my $key = join '|', map { "$_=$label{$_}" } sort grep { $label{$_} ne '' } keys %label;
			push @wrong, "twice: $_" if exists $value{"$name$suffix"}{$key};
			$value{"$name$suffix"}{$key} = $number;
		}
		else { push @wrong, "no line of the format: $_"; }
	}
	push @wrong, 'families are not sorted' if "@order" ne join ' ', sort @order;
	push @wrong, map { "type and name: $_" } grep { ($type{$_} eq 'counter') != /_total$/ } @order;
	return (\%value, \%type, @wrong);
}

my (undef, undef, @noticed) = parse(qq{# HELP b h\n# TYPE b gauge\nb 1\n# HELP a h\n# TYPE a counter\na 1\na 2\nb{l="""} 1\n});
is_deeply(\@noticed, [ 'twice: a 2', 'no line of the format: b{l="""} 1', 'families are not sorted', 'type and name: a' ], 'what is no text of the format is noticed');

sub metrics
{
	my ($before) = @_;
	my ($value, $type, @wrong) = parse(sql(($before // 'SELECT') . '; SELECT xtree_metrics()') =~ s/^\n//r);
	is_deeply(\@wrong, [], 'the text is of the format' . ($before ? ": $before" : ''));
	return $value;
}

sub of_index { my ($metrics, $metric, $index) = @_; return $metrics->{"xtree_index_$metric"}{"datname=postgres|indexrelname=$index|relname=points|schemaname=public"}; }

my $odd = qq{a"b\\c\nd,{e="f"} \x{e4}};
utf8::encode($odd);
sql(q{CREATE EXTENSION xtree;
	CREATE TABLE points AS SELECT i AS id, point(i % 300, i / 300) AS p FROM generate_series(1, 30000) i;
	CREATE INDEX points_p ON points USING xtree (p);
	CREATE INDEX points_id ON points USING xtree (id);
	CREATE INDEX points_unused ON points USING xtree (p, id) WITH (memory_quota = '10MB', preload, strategy = paged);
	CREATE INDEX points_deferred ON points USING xtree (id, p) WITH (build = deferred);
	CREATE TABLE secrets (word text); INSERT INTO secrets VALUES ('xyzzy4711'), ('plugh');
	CREATE INDEX secrets_bad ON secrets USING xtree ((word::int)) WITH (build = deferred);
	CREATE UNLOGGED TABLE unlogged AS SELECT * FROM points LIMIT 100; CREATE INDEX unlogged_x ON unlogged USING xtree (p);
	CREATE ROLE visitor; CREATE ROLE monitor IN ROLE pg_monitor});
my $quoted = $odd =~ s/"/""/gr;
sql(qq{CREATE SCHEMA "$quoted"; CREATE TABLE "$quoted"."$quoted" (a int); CREATE INDEX ON "$quoted"."$quoted" USING xtree (a);
	DO \$\$ BEGIN EXECUTE format('ALTER INDEX %s RENAME TO %I', (SELECT indexrelid::regclass FROM pg_stat_xtree_indexes WHERE relname LIKE 'a"b%'), U&'\\0041"\\005C\\000A'); END \$\$});
sql('VACUUM ANALYZE points');
like(($node->psql('postgres', q{CALL xtree_build('secrets_bad')}))[2], qr/xyzzy4711/, 'a build fails with an error that quotes a value');

# A session that uses indexes, and what it must have left.
my $scan = 'SET enable_seqscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off';
my $session = $node->background_psql('postgres');
$session->query_safe($scan);
$session->query_safe(q{SELECT xtree_load('points_p')});
$session->query_safe(q{SELECT count(id) FROM points WHERE p <@ box '(0,0),(50,50)'}) for 1 .. 5;
$session->query_safe(q{SELECT count(p) FROM points WHERE id BETWEEN 5 AND 50});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_xtree_indexes WHERE state = 'loaded' AND resident_bytes > 0}), 'indexes are loaded');
$session->query_safe(q{SELECT xtree_load('points_id')});
sql('SELECT xtree_pin_hot()');

my $metrics = metrics();
is(of_index($metrics, 'scans_total', 'points_p'), 5, 'scans of an index');
is(of_index($metrics, 'scans_total', 'points_unused'), 0, 'of one that nobody has used');
is(of_index($metrics, 'built', 'points_deferred') . of_index($metrics, 'built', 'points_p'), '01', 'built and not');
is($metrics->{xtree_index_info}{'datname=postgres|indexrelname=points_p|relname=points|schemaname=public|state=loaded|strategy=resident'}, 1, 'state and strategy');
is($metrics->{xtree_index_size_bytes}{"datname=postgres|indexrelname=A\"\\\n|relname=$odd|schemaname=$odd"}, 16384, 'backslashes, quotes and newlines in names');
is($metrics->{xtree_database_indexes_failed}{'datname=postgres'}, 1, 'a build that failed');
is_deeply([ grep { !/^(datname|schemaname|relname|indexrelname|state|strategy|kind|le|mapping)=/ } map { split /\|/ } grep { !/\n/ } map { keys %$_ } values %$metrics ], [], 'labels');
unlike(sql('SELECT xtree_metrics()'), qr/xyzzy|4711/, 'no value of a row is in it');

# The queries for exporters name the same metrics, so that what they find is what the function must say.
sub yaml { my ($text) = @_; return CPAN::Meta::YAML->read_string($text)->[0]; }
sub rows_of
{
	my ($query) = @_;
	my $json = sql("SELECT coalesce(json_agg(q), '[]') FROM ($query) q");
	return @{ JSON::PP->new->allow_nonref->decode($json) };
}

# {metric}{labels} of a query whose columns are labels or values.
sub as_metrics
{
	my ($prefix, $query, $labels, $values) = @_;
	my %found;
	foreach my $row (rows_of($query))
	{
		my $key = join '|', map { "$_=$row->{$_}" } sort @$labels;
		$found{"${prefix}_$_"}{$key} = $row->{$_} for grep { defined $row->{$_} } @$values;
	}
	return \%found;
}

sub near { my ($a, $b) = @_; return defined $a && defined $b && abs($a - $b) <= 1e-9 * (abs($a) + abs($b)) + 1e-9; }

sub compare
{
	my ($found, $metrics, $name) = @_;
	my (@wrong, $count);
	foreach my $metric (sort keys %$found)
	{
		foreach my $labels (sort keys %{ $found->{$metric} })
		{
			$count++;
			push @wrong, "$metric $labels: $found->{$metric}{$labels}, " . ($metrics->{$metric}{$labels} // 'nothing') unless near($found->{$metric}{$labels}, $metrics->{$metric}{$labels});
		}
	}
	is_deeply(\@wrong, [], "$name: the numbers are those of xtree_metrics()");
	return $count;
}

my $exporter = yaml(slurp_file("$monitoring/queries.yaml"));
my %compared;
$metrics = metrics();
foreach my $group (sort keys %$exporter)
{
	my %usage = map { my ($column) = keys %$_; $column => $_->{$column}{usage} } @{ $exporter->{$group}{metrics} };
	my $query = $exporter->{$group}{query};
	is(join(' ', sort keys %{ (rows_of($query))[0] }), join(' ', sort keys %usage), "queries.yaml, $group: the columns that it names");
	my $found = as_metrics($group, $query, [ grep { $usage{$_} eq 'LABEL' } keys %usage ], [ grep { $usage{$_} ne 'LABEL' } keys %usage ]);
	cmp_ok(compare($found, $metrics, "queries.yaml, $group"), '>', 0, "$group: some");
	$compared{$_} = $found->{$_} for keys %$found;
	like("$group\_$_", $usage{$_} eq 'COUNTER' ? qr/_total$/ : qr/(?<!_total)$/, "$group\_$_: its type") for grep { $usage{$_} ne 'LABEL' } sort keys %usage;
}
my %only_function = map { $_ => 1 } qw(xtree_events_total xtree_index_info xtree_worker_info xtree_database_indexes_listed xtree_database_entries);
is_deeply([ grep { !$compared{$_} && !$only_function{$_} && !/_duration_seconds_(bucket|sum|count)$/ } sort keys %$metrics ], [], 'all metrics but these are in views');
foreach my $metric (grep { /^xtree_(index|database)_/ } sort keys %compared)
{
	is_deeply([ sort keys %{ $metrics->{$metric} } ], [ sort keys %{ $compared{$metric} } ], "$metric: no index more or less");
}

my $map = yaml(slurp_file("$monitoring/cloudnativepg.yaml"));
is("$map->{kind} $map->{apiVersion}", 'ConfigMap v1', 'cloudnativepg.yaml is a ConfigMap');
my ($block) = slurp_file("$monitoring/cloudnativepg.yaml") =~ /^  queries: \|\n(.*)/ms;  # the module takes indentation off blocks
my $cloud = yaml($block =~ s/^    //mgr);
is(join(' ', sort keys %$cloud), join(' ', sort keys %$exporter), 'it has the same queries');
is_deeply($cloud->{$_}{metrics}, $exporter->{$_}{metrics}, "cloudnativepg.yaml, $_: the same metrics"), is($cloud->{$_}{query}, $exporter->{$_}{query}, "$_: by the same query") for sort keys %$exporter;

my $collector = yaml(slurp_file("$monitoring/sql_exporter.collector.yml"));
my %query = map { $_->{query_name} => $_->{query} } @{ $collector->{queries} };
my %columns = map { my $q = $_; $q => { map { $_ => 1 } keys %{ (rows_of($query{$q}))[0] } } } keys %query;
is_deeply([ map { "$_->{metric_name} $_" } map { my $m = $_; grep { !$columns{ $m->{query_ref} }{$_} } @{ $m->{key_labels} // [] }, @{ $m->{values} } } @{ $collector->{metrics} } ], [],
	'sql_exporter: queries have the columns that it names');
is_deeply([ sort map { $_->{metric_name} } @{ $collector->{metrics} } ],
	[ sort 'xtree_index_info', map { my $g = $_; map { my ($c) = keys %$_; $_->{$c}{usage} eq 'LABEL' ? () : "${g}_$c" } @{ $exporter->{$g}{metrics} } } keys %$exporter ], 'sql_exporter: the same metrics');
foreach my $group (sort keys %query)
{
	my @of = grep { $_->{query_ref} eq $group } @{ $collector->{metrics} };
	compare(as_metrics($group =~ s/_info$//r, $query{$group}, $of[0]{key_labels} // [], [ map { @{ $_->{values} } } @of ]), $metrics, "sql_exporter, $group");
}

my $pgwatch = yaml(slurp_file("$monitoring/pgwatch.metrics.yaml"));
is(join(' ', sort keys %{ $pgwatch->{presets}{xtree}{metrics} }), join(' ', sort keys %{ $pgwatch->{metrics} }), 'pgwatch: the preset has all metrics');
foreach my $group (sort keys %{ $pgwatch->{metrics} })
{
	my ($first) = rows_of($pgwatch->{metrics}{$group}{sqls}{11});
	is_deeply([ grep { !exists $first->{$_} } 'epoch_ns', @{ $pgwatch->{metrics}{$group}{gauges} // [] } ], [], "pgwatch, $group: the columns that it names");
	my $alike = $exporter->{ $group =~ s/_server$//r };
	is_deeply([ sort grep { $_ ne 'epoch_ns' } map { s/^tag_//r } keys %$first ], [ sort grep { $_ ne 'datname' } map { keys %$_ } @{ $alike->{metrics} } ], "pgwatch, $group: the same columns");
}

# The dashboard and the alerts.
sub names_in { my ($text) = @_; return $text =~ /\b(xtree_\w+)/g; }
my %exists = map { $_ => 1 } keys %$metrics;
my $dashboard = decode_json(slurp_file("$monitoring/grafana-dashboard.json"));
my @expressions = map { $_->{expr} } map { @{ $_->{targets} // [] } } @{ $dashboard->{panels} };
cmp_ok(scalar @expressions, '>', 30, 'the dashboard has expressions');
is_deeply([ grep { !$exists{$_} } map { names_in($_) } @expressions, map { ref $_->{query} ? $_->{query}{query} : () } @{ $dashboard->{templating}{list} } ], [], 'they name metrics that exist');
is_deeply([ grep { !defined $_->{datasource} || $_->{datasource}{uid} ne '${datasource}' } grep { $_->{type} ne 'row' } @{ $dashboard->{panels} } ], [], 'its data source is a variable');
my %panel;
is_deeply([ grep { $panel{$_}++ } map { $_->{id} } @{ $dashboard->{panels} } ], [], 'panels have numbers of their own');
my @rules = map { @{ $_->{rules} } } @{ yaml(slurp_file("$monitoring/alerts.yml"))->{groups} };
is_deeply([ grep { !$exists{$_} } map { names_in($_->{expr}) } @rules ], [], 'alerts name metrics that exist');
my $cases = yaml(slurp_file("$monitoring/alerts_test.yml"));
foreach my $rule (@rules)
{
	my @of = grep { $_->{alertname} eq $rule->{alert} } map { @{ $_->{alert_rule_test} } } @{ $cases->{tests} };
	is(join(' ', sort map { $_->{exp_alerts} ? 'fires' : 'silent' } @of), 'fires silent', "$rule->{alert}: a case that fires and one that does not");
}

# How many are listed.
sub rest { my ($metrics, $metric) = @_; return $metrics->{"xtree_index_$metric"}{'datname=postgres|other=true'}; }
my $all = metrics();
is(rest($all, 'scans_total'), undef, 'while all are listed there are no others');
is($all->{xtree_database_scans_total}{'datname=postgres'}, 6, 'sums over all');
for my $limit (0, 1, 2)
{
	my $few = metrics("SET xtree.metrics_max_indexes = $limit");
	is($few->{xtree_database_indexes_listed}{'datname=postgres'}, $limit, "a limit of $limit");
	is(join(' ', sort map { /indexrelname=(\w+)/ ? $1 : () } keys %{ $few->{xtree_index_scans_total} }), ('', 'points_p', 'points_id points_p')[$limit], "$limit: those with most scans");
	foreach my $metric (qw(scans_total tuples_total size_bytes buffer_reads_total mapped_reads_total resident_bytes))
	{
		my $sum = 0;
		$sum += $_ for values %{ $few->{"xtree_index_$metric"} };
		is($sum, $all->{"xtree_database_$metric"}{'datname=postgres'}, "$limit: $metric of all indexes, listed or not");
		is($few->{"xtree_database_$metric"}{'datname=postgres'}, $sum, "$limit: and of the database");
	}
	is_deeply({ map { $_ => $few->{$_} } grep { /^xtree_database_indexes_(built|unbuilt|stale|failed|loaded)/ } keys %$few },
		{ map { $_ => $all->{$_} } grep { /^xtree_database_indexes_(built|unbuilt|stale|failed|loaded)/ } keys %$all }, "$limit: states of all are known");
}
for my $wrong (-1, 10001) { like(($node->psql('postgres', "SET xtree.metrics_max_indexes = $wrong"))[2], qr/outside the valid range/, "not $wrong"); }

# Who sees what: all the numbers of the views, and of builds what pg_stat_progress_create_index shows.
sub seen { my ($role) = @_; return sql("SET ROLE $role; SELECT xtree_metrics()") =~ s/^(xtree_memory_private_bytes).*\n//mr; }
is(seen('visitor'), seen('postgres'), 'everybody sees the numbers that everybody sees in the views');
sql(q{CREATE FUNCTION slowly(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
	PERFORM CASE WHEN $1 = 20000 THEN pg_advisory_lock_shared(77) END; RETURN $1; END $$;
	CREATE INDEX points_slow ON points USING xtree (slowly(id))});
my $lock = $node->background_psql('postgres');
$lock->query_safe('SELECT pg_advisory_lock(77)');
my $builder = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'REINDEX INDEX points_slow' ], '<', \undef, '>', \my $built, '2>&1');
push @processes, $builder;
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}), 'an index is being built');
for my $role (qw(postgres monitor visitor))
{
	my $share = of_index(metrics("SET ROLE $role"), 'build_progress_ratio', 'points_slow');
	$role eq 'visitor' ? is($share, undef, 'how far it is, not everybody sees') : cmp_ok($share // -1, '>', 0.1, "how far it is, $role sees");
}
is(of_index(metrics(), 'built', 'points_slow'), undef, 'meanwhile nobody knows whether it is built');
$lock->quit;
$builder->finish;
is(of_index(metrics(), 'built', 'points_slow'), 1, 'then it is');
sql('DROP INDEX points_slow');

# Histograms and events.
sub histogram
{
	my ($metrics, $name) = @_;
	my %bucket = map { /^le=(.*)$/ ? ($1 => $metrics->{"${name}_bucket"}{$_}) : () } keys %{ $metrics->{"${name}_bucket"} };
	my @bounds = sort { $a <=> $b } grep { $_ ne '+Inf' } keys %bucket;
	my @counts = map { $bucket{$_} } @bounds, '+Inf';
	is("@counts", join(' ', sort { $a <=> $b } @counts), "$name: buckets are cumulative");
	is($counts[-1], $metrics->{"${name}_count"}{''}, "$name: the last one has all");
	return ($metrics->{"${name}_count"}{''}, $metrics->{"${name}_sum"}{''}, @bounds);
}
$metrics = metrics();
my ($loads, $load_seconds, @bounds) = histogram($metrics, 'xtree_load_duration_seconds');
is($loads, $metrics->{xtree_memory_admissions_total}{''}, 'a load for each admission');
is($loads, 2, 'of two indexes');
is("$bounds[0] $bounds[-1] " . @bounds, '1e-06 100 25', 'from 1 us to 100 s');
my $last = sql('SELECT sum(load_time) / 1000 FROM pg_stat_xtree_indexes');
ok(near($load_seconds, $last), "the sum of both, $last s") or diag($load_seconds);
my ($touches, $touch_seconds) = histogram($metrics, 'xtree_first_touch_duration_seconds');
is($touches, 2, 'first touches of a session that maps two indexes');
cmp_ok($touch_seconds, '>', 0, 'take time');
cmp_ok($touch_seconds, '<', 60, 'and not for ever');
sql(q{SELECT xtree_unload('points_p')});
$session->query_safe(q{SELECT xtree_load('points_p')});
is((histogram(metrics(), 'xtree_first_touch_duration_seconds'))[0], 2, 'mapping it again is no first touch');
sql(q{SELECT xtree_load('points_p')});
is((histogram(metrics(), 'xtree_first_touch_duration_seconds'))[0], 3, 'that of another session is');
$metrics = metrics();
my %events = map { s/^kind=//r => $metrics->{xtree_events_total}{$_} } grep { $metrics->{xtree_events_total}{$_} > 0 } keys %{ $metrics->{xtree_events_total} };
is_deeply(\%events,
	{ map { split /\|/ } split /\n/, sql('SELECT kind, count(*) FROM pg_stat_xtree_events GROUP BY kind') }, 'events, as many as the view has');
sql('SELECT pg_stat_xtree_reset()');
$metrics = metrics();
is((histogram($metrics, "xtree_${_}_duration_seconds"))[0], 0, "$_: reset") for qw(load first_touch);
is_deeply([ grep { $_ != 0 } values %{ $metrics->{xtree_events_total} } ], [], 'events: reset');
is($metrics->{xtree_index_last_error_timestamp_seconds}, undef, 'errors: reset');
$node->psql('postgres', q{CALL xtree_build('secrets_bad')});

# More indexes than are listed; XTREE_METRICS_TABLES=100: ten thousand.
my $tables = $ENV{XTREE_METRICS_TABLES} // 12;
my $indexes = 100 * $tables;
$node->safe_psql('postgres', 'CREATE DATABASE many');
$node->safe_psql('many', 'CREATE EXTENSION xtree; ' . join '; ', map { "CREATE TABLE t$_ (a int, b int); INSERT INTO t$_ VALUES (1, 2)" } 1 .. $tables);
$node->safe_psql('many', join ";\n", map { my $t = $_; map { "CREATE INDEX t${t}_$_ ON t$t USING xtree (a, b)" } 1 .. 100 } 1 .. $tables);
$node->safe_psql('many', 'SET enable_seqscan = off; ' . join '; ', map { "SELECT count(*) FROM t$_ WHERE a = 1 AND b = 2" } 1 .. $tables);
my $milliseconds = $node->safe_psql('many', q{CREATE TEMP TABLE times (t float8);
	DO $$ DECLARE began timestamptz; BEGIN
	  FOR i IN 1 .. 15 LOOP
	    began := clock_timestamp();
	    PERFORM length(xtree_metrics());
	    INSERT INTO times VALUES (1000 * extract(epoch FROM clock_timestamp() - began));
	  END LOOP;
	END $$;
	SELECT min(t) FROM times});
note("$milliseconds ms for a scrape with $indexes indexes");
my ($many, $types, @wrong) = parse($node->safe_psql('many', 'SELECT xtree_metrics()'));
is_deeply(\@wrong, [], 'its text is of the format');
is($many->{xtree_database_indexes}{'datname=many'} . ' ' . $many->{xtree_database_indexes_listed}{'datname=many'} . ' ' . keys %{ $many->{xtree_index_scans_total} }, "$indexes 1000 1001",
	'a thousand are listed, and the others as one');
is($many->{xtree_database_indexes_built}{'datname=many'}, $indexes, 'all are built');
is($many->{xtree_database_size_bytes}{'datname=many'}, $node->safe_psql('many', 'SELECT sum(size) FROM pg_stat_xtree_indexes'), 'the size of all');

# Debian's programs.
sub program { my ($name) = @_; return (grep { -x } map { "$_/$name" } split /:/, $ENV{PATH})[0]; }
SKIP:
{
	skip 'promtool is not installed (Debian package prometheus)', 1 unless program('promtool');
	# By way of a file, because promtool need not read all of a bad one.
	my $file = $node->basedir . '/metrics.prom';
	my $check = sub {
		my ($text) = @_;
		unlink $file;
		append_to_file($file, $text);
		my $said = '';
		return (IPC::Run::run([ 'promtool', 'check', 'metrics' ], '<', $file, '>&', \$said), $said);
	};
	my $text = sql('SELECT xtree_metrics()') . "\n";
	for ([ 'xtree_metrics()', $text ], [ 'a thousand indexes', $node->safe_psql('many', 'SELECT xtree_metrics()') . "\n" ])
	{
		my ($what, $in) = @$_;
		my ($ok, $said) = $check->($in);
		ok($ok, "promtool check metrics: $what");
		is($said, '', "$what: it has nothing to say");
	}
	my ($ok, $said) = $check->($text . $text);
	ok(!$ok, 'it would have noticed a second line of the same metric');
	command_ok([ 'promtool', 'check', 'rules', "$monitoring/alerts.yml" ], 'promtool check rules');
	command_ok([ 'promtool', 'test', 'rules', "$monitoring/alerts_test.yml" ], 'promtool test rules');
}

sub fetch { my ($port, $path) = @_; return HTTP::Tiny->new(timeout => 30)->get("http://127.0.0.1:$port$path"); }
sub eventually
{
	my ($test, $name) = @_;
	for (1 .. 600) { return pass($name) if $test->(); usleep(100_000); }
	return fail($name);
}
sub start
{
	my ($log, @command) = @_;
	push @processes, IPC::Run::start(\@command, '<', \undef, '>&', "$PostgreSQL::Test::Utils::log_path/$log.log");
}

SKIP:
{
	skip 'prometheus-postgres-exporter is not installed (Debian package of this name)', 1 unless program('prometheus-postgres-exporter');
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	{
		local $ENV{DATA_SOURCE_NAME} = sprintf 'host=%s port=%d user=%s dbname=postgres sslmode=disable', $node->host, $node->port, (getpwuid($>))[0];
		start('exporter', 'prometheus-postgres-exporter', "--web.listen-address=127.0.0.1:$port", "--extend.query-path=$monitoring/queries.yaml", '--disable-default-metrics',
			'--disable-settings-metrics');
	}
	eventually(sub { fetch($port, '/metrics')->{content} =~ /^xtree_index_scans_total/m }, 'the exporter answers');
	$session->query_safe(q{SELECT count(id) FROM points WHERE p <@ box '(0,0),(50,50)'}) for 1 .. 3;
	my ($exported) = parse(join "\n", grep { /^(# (HELP|TYPE) )?xtree_/ && !/ NaN$/ } split /\n/, fetch($port, '/metrics')->{content});
	my $now = metrics();
	my %same = map { $_ => $exported->{$_} } grep { !$only_function{$_} } keys %$exported;
	# It gives each the label server; what sessions hold depends on who is there.
	my %plain;
	foreach my $metric (grep { !/private_bytes/ } keys %same)
	{
		$plain{$metric}{ join '|', grep { !/^server=/ } split /\|(?=\w+=)/, $_ } = $same{$metric}{$_} for grep { !/\n|"/ } keys %{ $same{$metric} };
	}
	cmp_ok(compare(\%plain, $now, 'the exporter'), '>', 150, 'and there are many');
	is_deeply([ grep { !$plain{$_} && !/private_bytes/ } sort keys %compared ], [], 'it has all metrics of views');
	is(of_index(\%plain, 'scans_total', 'points_p'), 3, 'with what was done meanwhile');

	skip 'prometheus is not installed (Debian package of this name)', 1 unless program('prometheus');

	# Serves xtree_metrics() as it is.
	my $web_port = PostgreSQL::Test::Cluster::get_free_port();
	my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', LocalPort => $web_port, ReuseAddr => 1) or die "port $web_port: $!";
	$web_server = fork() // die $!;
	if ($web_server == 0)
	{
		while (my $client = $listener->accept)
		{
			while (defined(my $line = <$client>)) { last if $line =~ /^\r?$/; }
			my $body = '';
			IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SELECT xtree_metrics()' ], '<', \undef, '>', \$body);
			print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
			close $client;
		}
		POSIX::_exit(0);
	}
	close $listener;

	my $prometheus_port = PostgreSQL::Test::Cluster::get_free_port();
	my $directory = $node->basedir . '/prometheus';
	mkdir $directory;
	append_to_file("$directory/prometheus.yml", <<"YAML");
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files:
  - $monitoring/alerts.yml
scrape_configs:
  - job_name: function
    static_configs:
      - targets: ['127.0.0.1:$web_port']
  - job_name: exporter
    static_configs:
      - targets: ['127.0.0.1:$port']
YAML
	start('prometheus', 'prometheus', "--config.file=$directory/prometheus.yml", "--storage.tsdb.path=$directory/data", "--web.listen-address=127.0.0.1:$prometheus_port");
	my $ask = sub {
		my ($query) = @_;
		my $answer = fetch($prometheus_port, '/api/v1/query?query=' . ($query =~ s/([^\w])/sprintf '%%%02X', ord $1/ger));
		return $answer->{success} ? decode_json($answer->{content})->{data}{result} : undef;
	};
	my $count = 0;
	my $load = sub { $session->query_safe(q{SELECT count(id) FROM points WHERE p <@ box '(0,0),(90,90)'}); $count++; };
	for my $job (qw(function exporter))
	{
		eventually(sub { $load->(); my $r = $ask->(qq{xtree_index_scans_total{job="$job",indexrelname="points_p"}}); $r && @$r && $r->[0]{value}[1] > 3 }, "Prometheus scrapes the $job, and sees load");
		eventually(sub { my $r = $ask->(qq{xtree_index_scans_total{job="$job",indexrelname="points_p"}}); $r && $r->[0]{value}[1] == 3 + $count }, "$job: as many scans as there were");
	}
	is(sql(q{SELECT scans FROM pg_stat_xtree_indexes WHERE indexrelname = 'points_p'}), 3 + $count, 'the view says the same');
	eventually(sub { $load->(); my $r = $ask->('rate(xtree_index_scans_total{job="function",indexrelname="points_p"}[1h])'); $r && @$r && $r->[0]{value}[1] > 0 }, 'it has a rate');
	is($ask->('count(xtree_index_scans_total{job="function"})')->[0]{value}[1], sql(q{SELECT count(*) FROM pg_stat_xtree_indexes}), 'all indexes');
	is($ask->('count(count by (__name__) ({job="function",__name__=~"xtree_.*"}))')->[0]{value}[1], scalar(keys %{ metrics() }), 'all metrics');
	foreach my $expression (@expressions)
	{
		my $plain = $expression =~ s/\$(job|instance|datname)\b/.*/gr =~ s/\$__rate_interval/1h/gr;
		my $result = $ask->($plain);
		ok(defined $result && ($expression =~ /_demand_|pressure|histogram|_sum/ || @$result), "the dashboard's expression has an answer: $expression");
	}
	eventually(sub { my $r = fetch($prometheus_port, '/api/v1/rules'); $r->{success} && @rules == grep { $_->{health} eq 'ok' } map { @{ $_->{rules} } } @{ decode_json($r->{content})->{data}{groups} } },
		'all alerts are evaluated');
	eventually(sub { my $r = $ask->('ALERTS{alertname="XtreeIndexErrors"}'); $r && @$r }, 'the one of the build that failed fires');
}
$session->quit;

# Without preload.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
sql(qq{$scan; SELECT count(id) FROM points WHERE p <@ box '(0,0),(50,50)'});
$metrics = metrics();
is($metrics->{xtree_preloaded}{''}, 0, 'without preload');
is($metrics->{xtree_mapping_info}{'mapping=xtree is not preloaded'}, 1, 'the reason');
is_deeply([ grep { /^xtree_(worker|memory_(resident|mapped|pin)|load_duration|first_touch)|_(loads|evictions|mapped_reads|faults|retries|unloads)_total|_(mapped|resident|pinned)_bytes|_backends/ } sort keys %$metrics ], [],
	'what only mappings and the worker have is absent');
is($metrics->{xtree_database_indexes}{'datname=postgres'}, 7, 'what the catalog knows is there');
# By whichever of the two the planner takes.
my @scans = grep { defined } map { of_index($metrics, 'scans_total', $_) } qw(points_p points_unused);
is(@scans ? $scans[0] + $scans[1] : undef, $node->pg_version < 17 ? undef : 1, 'scans are counted from PostgreSQL 17 on');
is(exists $metrics->{xtree_events_total} ? 1 : 0, $node->pg_version < 17 ? 0 : 1, 'so are events');
foreach my $group (sort keys %$exporter)
{
	my %usage = map { my ($column) = keys %$_; $column => $_->{$column}{usage} } @{ $exporter->{$group}{metrics} };
	my $found = as_metrics($group, $exporter->{$group}{query}, [ grep { $usage{$_} eq 'LABEL' } keys %usage ], [ grep { $usage{$_} ne 'LABEL' } keys %usage ]);
	compare($found, $metrics, "without preload, $group");
}
$node->stop;
done_testing();
