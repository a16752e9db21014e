# Entries that a statement holds back until it ends, where putting them into the index fails, or the server dies meanwhile.
#  - an ERROR in a subtransaction that began within the statement, and is caught there: the rows live, so what is not in the index yet still comes
#  - an ERROR at the end of the statement undoes the statement
#  - a server that is killed while a batch goes in: nothing of it is seen, and the next batch has the addresses of those rows
#  - a timeout while a batch goes in
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XtreeTest qw(need_stop_points);

my $node = PostgreSQL::Test::Cluster->new('held');
$node->init;
$node->append_conf('postgresql.conf',
	"autovacuum = off\nrestart_after_crash = on\nshared_preload_libraries = xtree\nlog_min_error_statement = panic\nmax_prepared_transactions = 2\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION xtree');
need_stop_points($node);
$node->safe_psql('postgres', q{
	CREATE TABLE held (i int, p point);
	CREATE INDEX held_p ON held USING xtree (p);
	INSERT INTO held SELECT i, point(i % 100, i / 100) FROM generate_series(0, 69999) i;  -- so many that 4,000 are one batch
	CREATE TABLE other (i int);
	-- At row 3,000 another query begins, and the entries of the rows before fail to go in, at different places.
	CREATE FUNCTION fails_within(i int, point text) RETURNS point LANGUAGE plpgsql VOLATILE AS $$
	DECLARE
	  nothing text;
	BEGIN
	  IF i = 3000 THEN
	    BEGIN
	      nothing := set_config('xtree.stop_point', point || ':error', false);  -- PERFORM would be a query of its own
	      PERFORM 1 FROM other;
	      RAISE 'nothing failed';
	    EXCEPTION WHEN OTHERS THEN
	      nothing := set_config('xtree.stop_point', '', false);
	      IF SQLERRM NOT LIKE 'stopped at%' THEN RAISE; END IF;
	    END;
	  END IF;
	  RETURN point(i % 97 + 0.5, i / 97 + 0.5);
	END $$});

# Entries of the index, and rows of the table.
sub index_has
{
	my ($rows, $what) = @_;
	my ($status, $out, $error) = $node->psql('postgres', q{
		SELECT xtree_check('held_p', true);
		SELECT sum(entries) FROM xtree_nodes('held_p') WHERE level = 0;
		SET enable_seqscan = off;
		SELECT count(*) FROM held WHERE p <@ box '(-1,-1,1000,1000)'});
	is($status, 0, "$what: the index is valid") or diag($error);
	my ($entries, $found) = $out =~ /(\d+)\s+(\d+)/;
	is($found, $rows, "$what: the index finds all rows");
	return $entries;
}

my $rows = 70000;
foreach my $point ('insert-before-leaf', 'insert-before-leaf+40', 'insert-after-leaf+100', 'split-before-commit', 'split-after-commit+2', 'commit-before-wal+33')
{
	my ($status, undef, $error) =
		$node->psql('postgres', "INSERT INTO held SELECT i, fails_within(i, '$point') FROM generate_series(1, 5000) i");
	is($status, 0, "an ERROR at $point within the statement is caught") or diag($error);
	$rows += 5000;
	is(index_has($rows, "ERROR at $point"), $rows, "ERROR at $point: no entry is there twice");
}

# INSERTs of WITH that nobody reads go on when the executor finishes: rows of ON CONFLICT may be taken back, and their addresses be given to others, so
# their entries are not left for the statement around it, but go in at once. So an ERROR there is within the inner statement.
$node->safe_psql('postgres', q{
	CREATE FUNCTION inserts_in_with(i int, conflict bool) RETURNS point LANGUAGE plpgsql VOLATILE AS $$
	DECLARE
	  nothing text;
	BEGIN
	  IF i = 30 AND conflict THEN
	    WITH unread AS (INSERT INTO held SELECT j, point(length(set_config('xtree.stop_point', 'insert-begin:error', false)), j) FROM generate_series(1, 10) j
	      ON CONFLICT DO NOTHING) SELECT 1 INTO nothing;
	  ELSIF i = 30 THEN
	    WITH unread AS (INSERT INTO held SELECT j, point(length(set_config('xtree.stop_point', 'insert-begin:error', false)), j) FROM generate_series(1, 10) j)
	    SELECT 1 INTO nothing;
	  END IF;
	  nothing := set_config('xtree.stop_point', '', false);
	  RETURN point(i, i);
	END $$});
foreach my $conflict ('true', 'false')
{
	my ($status, undef, $error) = $node->psql('postgres', "INSERT INTO held SELECT i, inserts_in_with(i, $conflict) FROM generate_series(1, 60) i");
	isnt($status, 0, "an ERROR of an INSERT of WITH, ON CONFLICT: $conflict");
	like($error, qr/stopped at.*SQL statement "WITH unread/s, 'within the inner statement');
}

# What is not held back: the first row's entry goes in before the second row is made. A sequence tells how many were, whatever is undone.
$node->safe_psql('postgres', q{
	CREATE SEQUENCE made;
	CREATE TABLE apart (i int, b box, EXCLUDE USING xtree (b WITH &&))});
sub made
{
	my ($before, $statement) = @_;
	my ($status, undef, $error) = $node->psql('postgres', "$before; SELECT setval('made', 1, false); SET xtree.stop_point = 'insert-begin:error'; $statement");
	like($error, qr/stopped at/, "stopped: $before $statement");
	return $node->safe_psql('postgres', 'SELECT last_value FROM made');
}
my $points = q{INSERT INTO held SELECT i, point(nextval('made'), i) FROM generate_series(1, 100) i};
is(made('BEGIN', $points), 100, 'entries of INSERT ... SELECT are held back');
is(made('BEGIN', "$points ON CONFLICT DO NOTHING"), 1, 'those of INSERT ... ON CONFLICT are not');
is(made('BEGIN ISOLATION LEVEL SERIALIZABLE', $points), 1, 'nor those of a SERIALIZABLE transaction');
is(made('BEGIN', q{INSERT INTO apart SELECT i, box(point(nextval('made'), i), point(i, i)) FROM generate_series(1, 100) i}), 1, 'nor those of an exclusion constraint');

my $insert = 'INSERT INTO held SELECT i, point(i % 91, i / 91) FROM generate_series(1, 4000) i';
foreach my $point ('insert-before-leaf+20', 'insert-after-leaf+50', 'split-before-commit')
{
	my ($status, undef, $error) = $node->psql('postgres', "SET xtree.stop_point = '$point:error'; $insert");
	isnt($status, 0, "an ERROR at $point at the end of the statement");
	like($error, qr/stopped at/, "ERROR at $point at the end is reported");
	index_has($rows, "ERROR at $point at the end");
	$node->safe_psql('postgres', 'VACUUM held');
	is(index_has($rows, 'VACUUM'), $rows, "ERROR at $point at the end: VACUUM finds what was left");
}

# COPY, and a transaction that is prepared.
$node->safe_psql('postgres', "COPY held TO '" . $node->basedir . "/held.bin' (FORMAT binary)");
$node->safe_psql('postgres', "COPY held FROM '" . $node->basedir . "/held.bin' (FORMAT binary)");
$rows *= 2;
is(index_has($rows, 'COPY'), $rows, 'COPY: all entries');
$node->safe_psql('postgres', "BEGIN; $insert; PREPARE TRANSACTION 'held'");
$node->restart;
$node->safe_psql('postgres', "COMMIT PREPARED 'held'");
$rows += 4000;
is(index_has($rows, 'PREPARE'), $rows, 'PREPARE: all entries');

foreach my $point ('insert-before-leaf+30', 'insert-after-leaf+60', 'split-before-commit+1', 'commit-after-wal+50')
{
	my $offset = -s $node->logfile;
	my ($status) = $node->psql('postgres', "SET xtree.stop_point = '$point:crash'; $insert");
	isnt($status, 0, "killed at $point");
	$node->wait_for_log(qr/ready to accept connections/, $offset);
	$node->poll_query_until('postgres', 'SELECT true') or die 'no recovery';
	index_has($rows, "killed at $point");
	$node->safe_psql('postgres', $insert);
	$rows += 4000;
	index_has($rows, "a batch after $point");
}

foreach my $timeout (map { $_ * 3 } 1 .. 10)
{
	my ($status) = $node->psql('postgres', "SET statement_timeout = '${timeout}ms'; $insert");
	$rows += 4000 if $status == 0;
}
index_has($rows, 'timeouts');

$node->stop;
done_testing();
