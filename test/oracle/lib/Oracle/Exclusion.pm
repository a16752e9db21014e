# Exclusion constraints: what the index refuses against what a scan finds.
#
# A table with EXCLUDE USING the method takes rows one at a time; before each
# INSERT or UPDATE a sequential scan says whether a live row conflicts. Steps are
# of Oracle::Runner's kind with one member more: {attempt => {sql, conflict}}.
# Locks: those of the statements.
package Oracle::Exclusion;
use strict;
use warnings;
use Oracle::Compare qw(failure settings_sql);
use Oracle::Random;
use Oracle::Schema qw(plain_column next_value);
use Exporter 'import';
our @EXPORT_OK = qw(exclusion_life attempt);

my %OPERATORS = (point => ['~='], box => [ '&&', '~=' ], circle => ['~='], polygon => ['~='],
    cube => [ '&&', '=' ], oracle_cube => [ '&&', '=' ], geometry => ['&&'], oracle_period => [ '&&', '=', '-|-' ],
    map { ($_ . 'range' => [ '&&', '=', '-|-' ], $_ . 'multirange' => [ '&&', '=' ]) }
        qw(int4 int8 num date ts tstz), map { "oracle_$_" } qw(inet uuid span text c icu));

sub literal { my ($value, $type) = @_; return defined $value ? "'$value'::$type" : "NULL::$type" }

# The condition under which a row of t excludes the new values.
sub conflict_condition {
    my ($table, $values) = @_;
    my @parts;
    for my $i (0 .. $#{ $table->{columns} }) {
        my $column = $table->{columns}[$i];
        push @parts, "$column->{name} $table->{with}[$i] " . literal($values->[$i], $column->{type}{name});
    }
    push @parts, "id % 2 = 0" if $table->{where};
    return join(' AND ', @parts);
}

# A new row, or new values for an old one, and the question whether it conflicts.
sub attempt_step {
    my ($table) = @_;
    my @columns = @{ $table->{columns} };
    my @values  = map { next_value($_) } @columns;
    my @texts   = map { literal($values[$_], $columns[$_]{type}{name}) } 0 .. $#columns;
    my $update  = chance(20) && $table->{next_id} > 1;
    my $id      = $update ? 1 + rnd($table->{next_id} - 1) : $table->{next_id}++;
    my $checked = !$table->{where} || $id % 2 == 0;
    my $conflict = 'SELECT count(*) FROM t WHERE ' . ($checked ? 'true' : 'false') . " AND id <> $id AND ";
    $conflict .= conflict_condition($table, \@values);
    $conflict .= " AND EXISTS (SELECT FROM t WHERE id = $id)" if $update;
    my $names = join(', ', map { $_->{name} } @columns);
    my $list  = join(', ', @texts);
    my $sql   = $update ? "UPDATE t SET ($names) = ROW ($list) WHERE id = $id" : "INSERT INTO t (id, $names) VALUES ($id, $list)";
    $sql .= ' ON CONFLICT DO NOTHING RETURNING id' if !$update && !$table->{deferrable} && chance(20);
    return { attempt => { sql => $sql, conflict => $conflict } };
}

sub constraint_step {
    my ($table) = @_;
    my @keys = map { "$table->{columns}[$_]{name} WITH $table->{with}[$_]" } 0 .. $#{ $table->{columns} };
    my $sql = "ALTER TABLE t ADD CONSTRAINT i1 EXCLUDE USING $table->{am}{name} (" . join(', ', @keys) . ')';
    $sql .= ' WHERE (id % 2 = 0)' if $table->{where};
    return { sql => $sql . ($table->{deferrable} ? ' DEFERRABLE' : '') };
}

# The table and its steps; the stream of random numbers must be seeded.
sub exclusion_life {
    my ($am, $types, $masked) = @_;
    my @names = grep { $types->{$_}{equal} } sort keys %$types;
    my $count = $am->{multi} ? pick(1, 1, 2, 3) : 1;
    my @columns = map { plain_column("c$_", $types->{ pick(@names) }, $masked) } 1 .. $count;
    my $table = { am => $am, next_id => 1, columns => \@columns, where => chance(15), deferrable => chance(15) };
    $table->{with} = [ map { pick(@{ $OPERATORS{ $_->{type}{name} } // ['='] }) } @columns ];
    my $create = 'CREATE TABLE t (id int NOT NULL, ' . join(', ', map { "$_->{name} $_->{type}{name}" } @columns)
        . ') WITH (autovacuum_enabled = off)';
    my @steps = ({ sql => $create }, constraint_step($table));
    for (1 .. pick(30, 150, 600)) {
        push @steps, attempt_step($table);
        push @steps, { sql => 'DELETE FROM t WHERE id % 7 = ' . rnd(7) } if chance(2);
        push @steps, { sql => 'VACUUM t' } if chance(1);
    }
    return ($table, [ @steps, { check => 1 } ]);
}

# --- running ------------------------------------------------------------------------

sub attempt_problem {
    my ($asked, $state, $refused, $conflicts) = @_;
    return "error $asked" if $asked;
    return "error $state" if $state && !$refused;
    return 'exclusion without conflict' if $refused && !$conflicts;
    return !$refused && $conflicts ? 'conflict accepted' : undef;
}

# The verdict of one attempt: the constraint must refuse exactly the conflicts.
sub attempt {
    my ($session, $attempt) = @_;
    $session->run('a', settings_sql({ map { $_ => 'off' } qw(enable_indexscan enable_indexonlyscan enable_bitmapscan) }));
    my $truth = $session->query('a', $attempt->{conflict});
    my $done  = $session->query('a', $attempt->{sql});
    my ($asked, $state) = map { $_->{state} // '' } $truth, $done;
    return { outcome => 'skipped' } if $asked =~ /^22/;
    my $refused = $state eq '23P01' || ($attempt->{sql} =~ /RETURNING/ && !$state && !@{ $done->{rows} });
    my $kind = attempt_problem($asked, $state, $refused, $truth->{rows} && $truth->{rows}[0]);
    return { outcome => 'agreed' } unless $kind;
    my $text = 'conflicting rows: ' . ($truth->{message} // $truth->{rows}[0]) . '; ' . ($done->{message} // 'no error');
    return failure($kind, $text, sql => $attempt->{conflict});
}

1;
