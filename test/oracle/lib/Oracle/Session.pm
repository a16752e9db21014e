# Connections of one worker of the oracle, and the execution of its steps.
#
# A worker owns one schema and up to two connections: "a" does everything, "b"
# holds old snapshots open. Every statement returns {rows} or {state, message};
# nothing dies, so that the caller can compare errors as well as rows.
# Locks: those of the statements; lock_timeout ends a wait for the other
# connection, statement_timeout ends an endless scan.
package Oracle::Session;
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:async);

# What a lost connection is reported as (crash_shutdown).
my $CRASHED = '57P02';

sub new {
    my ($class, %arg) = @_;
    return bless { %arg, handle => {}, in_transaction => {} }, $class;
}

sub handle {
    my ($self, $name) = @_;
    return $self->{handle}{$name} //= $self->connected;
}

# A server that has just crashed needs a moment.
sub connected {
    my ($self) = @_;
    my $dsn = "dbi:Pg:dbname=$self->{database};host=$self->{host};port=$self->{port}";
    my $dbh;
    for my $try (1 .. 60) {
        $dbh = DBI->connect($dsn, $self->{user}, undef,
            { RaiseError => 0, PrintError => 0, PrintWarn => 0, AutoCommit => 1, AutoInactiveDestroy => 1,
                pg_server_prepare => 0 });
        last if $dbh;
        sleep 1;
    }
    die "cannot connect: " . DBI->errstr . "\n" unless $dbh;
    $dbh->{pg_enable_utf8} = 0;
    $dbh->do("SET client_min_messages = error; SET statement_timeout = '120s'; SET lock_timeout = '20s';"
            . " SET search_path = $self->{schema}, public; SET jit = off; SET max_parallel_workers_per_gather = 0;"
            . " SET timezone = 'UTC'; SET synchronous_commit = off;" . ($self->{settings} // ''));
    return $dbh;
}

# An empty schema and fresh connections; after a crash, once the server is back.
sub reset_schema {
    my ($self) = @_;
    my $result;
    for my $try (1 .. 30) {
        $self->disconnect;
        $result = $self->run('a', "DROP SCHEMA IF EXISTS $self->{schema} CASCADE");
        $result = $self->run('a', "CREATE SCHEMA $self->{schema}") unless $result->{state};
        return unless $result->{state};
        last if $result->{state} ne $CRASHED;
        sleep 1;
    }
    die "cannot prepare schema $self->{schema}: $result->{message}\n";
}

sub disconnect {
    my ($self) = @_;
    for my $dbh (values %{ $self->{handle} }) { $dbh->disconnect }
    $self->{handle}         = {};
    $self->{in_transaction} = {};
    return;
}

sub failure {
    my ($self, $name, $dbh) = @_;
    my $result = { state => $dbh->state || 'XXXXX', message => $dbh->errstr // 'unknown error' };
    if (!$dbh->ping) {
        $result->{state} = $CRASHED;
        delete $self->{handle}{$name};
        $self->{in_transaction}{$name} = 0;
    }
    return $result;
}

sub note_transaction {
    my ($self, $name, $sql) = @_;
    $self->{in_transaction}{$name} = 1 if $sql =~ /^BEGIN/;
    $self->{in_transaction}{$name} = 0 if $sql =~ /^(?:COMMIT|ROLLBACK)$/;
    return;
}

# Runs a statement and drops its rows.
sub run {
    my ($self, $name, $sql) = @_;
    my $dbh = $self->handle($name);
    my $done = $dbh->do($sql);
    $self->note_transaction($name, $sql) if defined $done || $sql !~ /^BEGIN/;
    return defined $done ? {} : $self->failure($name, $dbh);
}

# Runs a query; each row as one text.
sub query {
    my ($self, $name, $sql) = @_;
    my $dbh = $self->handle($name);
    my $sth = $dbh->prepare($sql, { pg_direct => 1 });
    return $self->failure($name, $dbh) unless $sth && $sth->execute;
    my $fields = $sth->{NUM_OF_FIELDS} // 0;
    my $rows   = $fields ? $sth->fetchall_arrayref : [];
    return $self->failure($name, $dbh) if $sth->err;
    return { rows => [ map { $_->[0] // '\N' } @$rows ] } if $fields == 1;
    return { rows => [ map { join('|', map { $_ // '\N' } @$_) } @$rows ] };
}

# Starts a statement in the background; ready says whether it has ended, finish
# waits for that.
sub start  { my ($self, $name, $sql) = @_; $self->handle($name)->do($sql, { pg_async => PG_ASYNC }); return }
sub ready  { my ($self, $name) = @_; return $self->handle($name)->pg_ready }
sub finish { my ($self, $name) = @_; $self->handle($name)->pg_result; return }

# --- steps ------------------------------------------------------------------------

sub insert_sql {
    my ($step) = @_;
    my @tuples = map { '(' . join(',', map { defined $_ ? "'$_'" : 'NULL' } @$_) . ')' } @{ $step->{rows} };
    return 'INSERT INTO t (' . join(', ', @{ $step->{columns} }) . ') VALUES ' . join(",\n", @tuples);
}

sub copy_sql { my ($step) = @_; return 'COPY t (' . join(', ', @{ $step->{columns} }) . ') FROM STDIN' }

sub copy_lines {
    my ($step) = @_;
    return map { join("\t", map { defined $_ ? s/\\/\\\\/gr : '\N' } @$_) . "\n" } @{ $step->{rows} };
}

sub copy_in {
    my ($self, $name, $step) = @_;
    my $dbh = $self->handle($name);
    return $self->failure($name, $dbh) unless defined $dbh->do(copy_sql($step));
    $dbh->pg_putcopydata($_) for copy_lines($step);
    return $dbh->pg_putcopyend ? {} : $self->failure($name, $dbh);
}

# A step that is not a comparison: a statement or a load of rows.
sub run_step {
    my ($self, $step) = @_;
    my $name = $step->{on} // 'a';
    return $self->run($name, $step->{sql}) if $step->{sql};
    return {} unless @{ $step->{rows} };
    return $step->{how} eq 'copy' ? $self->copy_in($name, $step) : $self->run($name, insert_sql($step));
}

# The same step as text for psql.
sub step_text {
    my ($step) = @_;
    my $note = $step->{on} ? "-- in session $step->{on}:\n" : '';
    return "$note$step->{sql};\n" if $step->{sql};
    return '' unless @{ $step->{rows} };
    return $note . copy_sql($step) . ";\n" . join('', copy_lines($step)) . "\\.\n" if $step->{how} eq 'copy';
    return $note . insert_sql($step) . ";\n";
}

1;
