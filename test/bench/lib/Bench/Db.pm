# The connection to the server, and the few things every part asks of it: statements,
# buffer counters, WAL positions, the description of the machine.
# One connection does everything, so plans and caches are the same for all peers.
package Bench::Db;
use strict;
use warnings;
use DBI;

my $DATABASE = 'xtree_bench';

my @SETTINGS = qw(shared_buffers maintenance_work_mem work_mem autovacuum jit fsync synchronous_commit
    full_page_writes wal_level max_wal_size max_parallel_maintenance_workers random_page_cost);

sub connect {
    my ($class, $opt, $server) = @_;
    my $self = bless { opt => $opt, server => $server, differences => [] }, $class;
    my $admin = $self->_open('postgres');
    $admin->do("DROP DATABASE IF EXISTS $DATABASE");
    $admin->do("CREATE DATABASE $DATABASE TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
    $admin->disconnect;
    $self->reconnect;
    $self->_make_clock;
    return $self;
}

# Opens the main connection, again after a restart of the server.
sub reconnect {
    my ($self) = @_;
    $self->{dbh} = $self->_open($DATABASE);
    $self->do($_) for 'SET plan_cache_mode = force_generic_plan', 'SET jit = off',
        'SET max_parallel_maintenance_workers = 0', 'SET max_parallel_workers_per_gather = 0',
        'SET stats_fetch_consistency = none', "SET TimeZone = 'UTC'";
    return;
}

# One more session on the database, with the same settings; what it notes as different counts for all.
sub session {
    my ($self) = @_;
    my $other = bless {%$self}, ref $self;
    $other->reconnect;
    return $other;
}

sub disconnect { my ($self) = @_; $self->{dbh}->disconnect; return }

# bench_clock() is the clock for short times.  The kernel brings a process's time up to date when it leaves the
# processor, so the nap makes it exact.
sub _make_clock {
    my ($self) = @_;
    my $nap = $self->{opt}{clock} eq 'cpu' ? 'PERFORM pg_sleep(0.0001);' : '';
    $self->do("CREATE FUNCTION bench_clock() RETURNS float8 LANGUAGE plpgsql AS \$\$ BEGIN $nap RETURN " . $self->clock_sql . '; END $$');
    return;
}

sub _open {
    my ($self, $database) = @_;
    my $opt  = $self->{opt};
    my $host = $opt->{host} || $self->{server}->socket_dir;
    my $dbh  = DBI->connect("dbi:Pg:dbname=$database;host=$host;port=$opt->{port}", $opt->{user}, '',
        { RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_server_prepare => 0 });
    $dbh->{pg_placeholder_dollaronly} = 1;
    $dbh->do('SET client_min_messages = warning');
    return $dbh;
}

sub do      { my ($self, $sql) = @_; return $self->{dbh}->do($sql) }
sub value   { my ($self, $sql) = @_; return ($self->{dbh}->selectrow_array($sql))[0] }
sub row     { my ($self, $sql) = @_; return $self->{dbh}->selectrow_array($sql) }
sub column  { my ($self, $sql) = @_; return @{ $self->{dbh}->selectcol_arrayref($sql) } }
sub hash    { my ($self, $sql) = @_; return $self->{dbh}->selectrow_hashref($sql) }

# The expression for the present in microseconds: of the day, or of this server process
# on a processor (Linux; advances with each scheduler tick).
sub clock_sql {
    my ($self) = @_;
    return 'extract(epoch FROM clock_timestamp())::float8 * 1e6' if $self->{opt}{clock} eq 'wall';
    return q{split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1000};
}

sub clock { my ($self) = @_; return $self->value('SELECT ' . $self->clock_sql) }

# Generators use random(): a fixed seed makes every run see the same rows.
sub seed { my ($self, $seed) = @_; $self->do("SELECT setseed($seed)"); return }

sub cannot_install {
    my ($self, $extension) = @_;
    return if eval { $self->do("CREATE EXTENSION IF NOT EXISTS $extension CASCADE"); 1 };
    return "CREATE EXTENSION $extension failed: " . ($self->{dbh}->errstr =~ s/\n.*//sr);
}

# Index and heap blocks touched and scans begun on a table so far, by this database.
sub counters {
    my ($self, $table) = @_;
    $self->do('SELECT pg_stat_force_next_flush()');
    return $self->hash(<<"SQL");
SELECT (SELECT sum(idx_blks_hit + idx_blks_read) FROM pg_statio_user_indexes WHERE relname = '$table') AS index_blocks,
       (SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE relname = '$table') AS index_scans,
       (SELECT heap_blks_hit + heap_blks_read FROM pg_statio_user_tables WHERE relname = '$table') AS heap_blocks,
       (SELECT seq_scan FROM pg_stat_user_tables WHERE relname = '$table') AS seq_scans
SQL
}

# WAL position in bytes, and full page images so far: shows that images do not dominate a difference.
sub wal {
    my ($self) = @_;
    $self->do('SELECT pg_stat_force_next_flush()');
    return $self->row("SELECT pg_current_wal_insert_lsn() - '0/0', wal_fpi FROM pg_stat_wal");
}

# Notes that two answers differ; bench.pl turns any note into exit status 1.
sub differ {
    my ($self, $text) = @_;
    push @{ $self->{differences} }, $text;
    warn "UNEQUAL RESULTS: $text\n";
    return;
}

sub _cpu {
    open my $in, '<', '/proc/cpuinfo' or return 'unknown CPU';
    my ($model) = map { /^model name\s*:\s*(.*?)\s*$/ ? $1 : () } <$in>;
    return $model // 'unknown CPU';
}

sub machine {
    my ($self, $opt) = @_;
    chomp(my $cores = `getconf _NPROCESSORS_ONLN`);
    my %setting = map { $_ => $self->value("SHOW $_") } @SETTINGS;
    return {
        cpu => _cpu(), cores => $cores + 0, version => $self->value('SHOW server_version'),
        settings => \%setting, setting_order => \@SETTINGS, command => $opt->{command},
        scale => $opt->{scale}, clock => $opt->{clock}, rounds => $opt->{rounds}, repeats => $opt->{repeats},
    };
}

sub finish {
    my ($self, $opt) = @_;
    $self->{dbh}->disconnect;
    return if $opt->{keep} || $self->{server};
    my $admin = $self->_open('postgres');
    $admin->do("DROP DATABASE $DATABASE");
    $admin->disconnect;
    return;
}

1;
