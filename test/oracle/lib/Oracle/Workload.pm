# The life of one table: a list of steps made from the seed alone.
#
# A step is {sql}, {rows, how, columns}, {probe => query} or {check => 1}; "on"
# names another session than "a". Steps with the same "group" (BEGIN and COMMIT,
# SAVEPOINT and its end, the old snapshot of session b) are removed together by
# the shrinker. Nothing depends on the server's answers, so that a list can be
# replayed with any of its steps left out.
# Client side only: talks to no server, takes no lock.
package Oracle::Workload;
use strict;
use warnings;
use Oracle::Random;
use Oracle::Schema qw(random_table table_steps create_index fresh_kind load_step next_value);
use Oracle::Query qw(random_query with_values);
use Exporter 'import';
our @EXPORT_OK = qw(table_life random_write random_transaction vacuum);

sub literal { my ($value) = @_; return defined $value ? "'$value'" : 'NULL' }

# --- writes -----------------------------------------------------------------------

# A condition on id that selects few, some, or a run of the rows.
sub some_rows {
    my ($table) = @_;
    my $n  = $table->{next_id};
    my $at = rnd($n);
    my $last = 'id > ' . ($n - irange(1, 200));
    return pick('id % 97 = ' . rnd(97), "id BETWEEN $at AND " . ($at + irange(0, 40)), $last) if $table->{shared};
    return pick('id % ' . pick(2, 3, 7, 50) . ' = 1', "id BETWEEN $at AND " . ($at + irange(0, 300)), "id = $at", $last);
}

sub delete_rows { my ($table) = @_; return { sql => 'DELETE FROM t WHERE ' . some_rows($table) } }

sub update_hot { my ($table) = @_; return { sql => "UPDATE t SET pad = coalesce(pad, '') || '' WHERE " . some_rows($table) } }

sub update_same {
    my ($table) = @_;
    my $name = pick(@{ $table->{columns} })->{name};
    return { sql => "UPDATE t SET $name = $name, pad = 'y' WHERE " . some_rows($table) };
}

sub update_constant {
    my ($table) = @_;
    my $column = pick(@{ $table->{columns} });
    my $value  = chance(20) ? 'NULL' : literal(next_value($column));
    return { sql => "UPDATE t SET $column->{name} = $value WHERE " . some_rows($table) };
}

# Another value for each of many rows.
sub update_many {
    my ($table) = @_;
    my $column = pick(@{ $table->{columns} });
    my $type   = $column->{type}{name};
    my @pairs  = map { '(' . rnd($table->{next_id}) . ', ' . literal(next_value($column)) . "::$type)" } 1 .. irange(1, 60);
    my $values = '(VALUES ' . join(', ', @pairs) . ') v(k, x)';
    return { sql => "UPDATE t SET $column->{name} = v.x FROM $values WHERE id = v.k" };
}

# Rows of the table once more, under new ids: duplicates of every key.
sub insert_copies {
    my ($table) = @_;
    my $from = rnd($table->{next_id});
    my $n    = irange(1, 400);
    my $add  = $table->{next_id} - $from;
    my $list = join(', ', map { $_->{name} } @{ $table->{columns} });
    $table->{next_id} += $n + 1;
    my $to = $from + $n;
    return { sql => "INSERT INTO t (id, $list, pad) SELECT id + $add, $list, pad FROM t WHERE id BETWEEN $from AND $to" };
}

sub insert_rows {
    my ($table) = @_;
    fresh_kind(pick(@{ $table->{columns} })) if chance(25);
    return load_step($table, pick(1, 3, irange(1, 50), irange(50, 500)));
}

# A write whose rows the index finds. Only between concurrent writers, where no
# one knows the right rows beforehand: a wrong one here would hide itself.
sub write_where {
    my ($table) = @_;
    my $q     = random_query($table, 0);
    my @quals = (@{ $q->{fixed} }, @{ $q->{quals} }, 'id % ' . pick(5, 20) . ' = ' . rnd(5));
    my $where = with_values($q, join(' AND ', @quals));
    my $column = pick(@{ $table->{columns} });
    my $sql = chance(50) ? 'DELETE FROM t' : "UPDATE t SET $column->{name} = " . literal(next_value($column));
    return { sql => "$sql WHERE $where", evaluates => 1 };
}

sub random_write {
    my ($table) = @_;
    return write_where($table) if $table->{shared} && chance(12);
    my $what = pick_weighted(insert_rows => 40, insert_copies => 8, delete_rows => 15, update_hot => 8, update_same => 5,
        update_constant => 12, update_many => 12);
    return __PACKAGE__->can($what)->($table);
}

# --- maintenance ------------------------------------------------------------------

sub vacuum {
    my ($table) = @_;
    my @options = pick([], [], ['FREEZE'], ['INDEX_CLEANUP off'], ['INDEX_CLEANUP on'], ['ANALYZE'], ['DISABLE_PAGE_SKIPPING']);
    my @list = (@{ $options[0] }, 'TRUNCATE ' . ($table->{snapshot_open} || chance(50) ? 'off' : 'on'));
    return { sql => 'VACUUM (' . join(', ', @list) . ') t' };
}

sub rebuild {
    my ($table) = @_;
    my $index = pick(@{ $table->{indexes} });
    my $concurrently = $table->{kind} ne 'temporary' && chance(40) ? ' CONCURRENTLY' : '';
    return { sql => "REINDEX INDEX$concurrently $index->{name}" } if chance(70);
    return ({ sql => "DROP INDEX $index->{name}" }, create_index($table, $index, $table->{kind} ne 'partitioned' && chance(40)));
}

# What was created with build = deferred is built, mostly before queries come.
sub build_deferred {
    my ($table) = @_;
    return if $table->{kind} eq 'temporary' || !$table->{am}{build} || chance(25);
    return map { { sql => sprintf $table->{am}{build}, $_->{name} } } grep { ($_->{options}{build} // '') eq 'deferred' } @{ $table->{indexes} };
}

# The session maps the indexes, so that queries read through mappings where the server has the library preloaded.
sub load_indexes {
    my ($table) = @_;
    return if $table->{kind} =~ /temporary|partitioned/ || !$table->{am}{load} || chance(60);
    return map { { sql => sprintf $table->{am}{load}, $_->{name} } } @{ $table->{indexes} };
}

sub alter_index {
    my ($table) = @_;
    my $index   = pick(@{ $table->{indexes} });
    my $options = $table->{am}{options};
    my $name    = pick(sort keys %$options);
    return { sql => "ALTER INDEX $index->{name} SET ($name = " . pick(@{ $options->{$name} }) . ')' }
        if chance(75) && $table->{kind} ne 'partitioned';
    return { sql => 'ANALYZE t' };
}

sub alter_table {
    my ($table) = @_;
    if (!$table->{dropped}++) { return { sql => 'ALTER TABLE t DROP COLUMN j0' } }
    return { sql => "ALTER TABLE t ADD COLUMN j$table->{dropped} int DEFAULT 3" };
}

sub rewrite {
    my ($table) = @_;
    return { sql => 'TRUNCATE t' } if chance(25);
    return { sql => 'VACUUM FULL t' } if chance(60) || $table->{kind} eq 'partitioned' || !$table->{am}{cluster};
    my $index = $table->{indexes}[0];
    return { sql => 'VACUUM FULL t' } if $index->{where} || ($index->{options}{build} // '') eq 'deferred';
    return { sql => "CLUSTER t USING $index->{name}" };
}

# Statements that wait for other snapshots are kept away from an open one.
sub maintenance {
    my ($table) = @_;
    return vacuum($table) if $table->{snapshot_open};
    my $what = pick_weighted(vacuum => 60, rebuild => 14, alter_index => 10, alter_table => 6, rewrite => 10, check => 4);
    return { check => 1 } if $what eq 'check';
    return __PACKAGE__->can($what)->($table);
}

# --- transactions -----------------------------------------------------------------

# Rows die, a scan begins, session b vacuums and uses their places again.
sub vacuum_under {
    my ($table, $q) = @_;
    $q->{force}{enable_indexonlyscan} = 'off' if $table->{columns}[0]{masked}{'only-scan'};
    $q->{before} = [ { sql => 'DELETE FROM t WHERE id % ' . pick(2, 3, 10) . ' = 0' } ];
    $q->{writes} = [ map { { %$_, on => 'b' } } { sql => 'VACUUM (TRUNCATE off) t' }, load_step($table, irange(1, 200)) ];
    return;
}

sub queries {
    my ($table, $n, $on, $may_write) = @_;
    my @steps;
    for (1 .. $n) {
        my $q = random_query($table, $may_write);
        $q->{fetch} = 'plain' if $q->{fetch} eq 'vacuum' && $table->{kind} eq 'temporary';
        $q->{writes} = [ map { random_write($table) } 1 .. irange(1, 4) ] if $q->{fetch} eq 'dml';
        vacuum_under($table, $q) if $q->{fetch} eq 'vacuum';
        push @steps, { probe => $q, ($on ? (on => $on) : ()) };
    }
    return @steps;
}

sub savepoint {
    my ($table) = @_;
    my $group = ++$table->{groups};
    my $end   = pick('ROLLBACK TO', 'ROLLBACK TO', 'RELEASE') . " s$group";
    my @inner = map { chance(20) ? queries($table, 1, undef, 0) : random_write($table) } 1 .. irange(1, 3);
    return ({ sql => "SAVEPOINT s$group", group => $group }, @inner, { sql => $end, group => $group });
}

# DDL whose new file core treats in its own way until the commit.
sub rebuild_in_transaction {
    my ($table) = @_;
    my $index = pick(@{ $table->{indexes} });
    return { sql => 'TRUNCATE t' } if chance(40);
    return { sql => "REINDEX INDEX $index->{name}" } if chance(50) && $table->{kind} ne 'partitioned';
    return ({ sql => "DROP INDEX $index->{name}" }, create_index($table, $index, 0));
}

sub inside_transaction {
    my ($table) = @_;
    my $what = pick_weighted(savepoint => 35, queries => 20, write => 40, rebuild => 5);
    return savepoint($table)              if $what eq 'savepoint';
    return queries($table, 2, undef, 0)   if $what eq 'queries';
    return rebuild_in_transaction($table) if $what eq 'rebuild';
    return random_write($table);
}

sub transaction {
    my ($table) = @_;
    my $group = ++$table->{groups};
    my $level = pick('', '', ' ISOLATION LEVEL REPEATABLE READ', ' ISOLATION LEVEL SERIALIZABLE');
    my @inner = map { inside_transaction($table) } 1 .. irange(1, 5);
    return ({ sql => "BEGIN$level", group => $group }, @inner, { sql => pick('COMMIT', 'ROLLBACK'), group => $group });
}

# A transaction of a concurrent writer: writes and savepoints, no queries.
sub random_transaction {
    my ($table) = @_;
    my $level = pick('', '', ' ISOLATION LEVEL REPEATABLE READ', ' ISOLATION LEVEL SERIALIZABLE');
    my @inner = map { chance(20) ? savepoint($table) : random_write($table) } 1 .. irange(1, 4);
    return ({ sql => "BEGIN$level" }, (grep { !$_->{probe} } @inner), { sql => pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK') });
}

# Session b keeps a snapshot while session a writes and vacuums.
sub old_snapshot {
    my ($table) = @_;
    my $group = ++$table->{groups};
    my $level = pick('REPEATABLE READ', 'REPEATABLE READ', 'SERIALIZABLE');
    my @steps = ({ sql => "BEGIN ISOLATION LEVEL $level", group => $group, on => 'b' }, queries($table, 1, 'b', 0));
    $table->{snapshot_open} = 1;
    for (1 .. irange(1, 4)) {
        push @steps, random_write($table);
        push @steps, maintenance($table) if chance(50);
        push @steps, queries($table, irange(1, 4), 'b', 0);
    }
    $table->{snapshot_open} = 0;
    return (@steps, { sql => 'COMMIT', group => $group, on => 'b' });
}

# --- the whole life -----------------------------------------------------------------

sub one_round {
    my ($table) = @_;
    my @steps;
    for (1 .. irange(1, 4)) {
        my $snapshot = $table->{kind} eq 'temporary' ? 0 : 8;
        my $what = pick_weighted(write => 55, maintenance => 22, transaction => 15, snapshot => $snapshot);
        push @steps, $what eq 'write' ? random_write($table) : $what eq 'maintenance' ? maintenance($table)
            : $what eq 'transaction' ? transaction($table) : old_snapshot($table);
    }
    return (@steps, build_deferred($table), load_indexes($table), queries($table, irange(5, 25), undef, 1));
}

# Faults for testing the oracle itself: the index misses an insert, or a VACUUM
# whose dead rows' places are then used again.
my %FAULT = (
    'lost-entries' => sub { my ($table) = @_; return load_step($table, 40) },
    'stale-entries' => sub {
        return ({ sql => 'DELETE FROM t WHERE id % 3 = 0' }, { sql => 'VACUUM t' },
            { sql => "UPDATE pg_class SET relhasindex = true WHERE oid = 't'::regclass" });
    },
);

sub faulty {
    my ($table, $fault) = @_;
    my $make  = $FAULT{$fault} // die "unknown fault \"$fault\"; known: " . join(', ', sort keys %FAULT) . "\n";
    my $ready = sub { return { sql => "UPDATE pg_index SET indisready = $_[0] WHERE indexrelid = 'i1'::regclass" } };
    return ($ready->('false'), $make->($table), $ready->('true'), load_step($table, 60), { sql => 'VACUUM t' },
        queries($table, 40, undef, 0));
}

# table_life(access method record, types by name, masked flags, limits): the
# table and the steps of its life; the stream of random numbers must be seeded.
sub table_life {
    my ($am, $types, $masked, %limit) = @_;
    my $table = random_table($am, $types, $masked, $limit{max_rows});
    $table->{opclass} = $limit{opclass} // {};
    my @steps = (table_steps($table), load_indexes($table), queries($table, irange(10, 40), undef, 1));
    push @steps, faulty($table, $limit{fault}) if $limit{fault} && $table->{kind} =~ /plain|unlogged/;
    push @steps, one_round($table) for 1 .. irange(1, 8);
    return ($table, [ @steps, { check => 1 } ]);
}

1;
