# The client processes of soak.pl. A client whose server goes away connects again. It leaves what it measured in WORK/latency.ROLE, a line for each
# statement, what it found wrong in WORK/wrong.ROLE, and the writer the last batch whose COMMIT was acknowledged in WORK/told.
package Soak::Client;
use strict;
use warnings;
use DBI;
use Time::HiRes qw(time sleep);

my $ROWS = 20;    # of a batch

# Waits for a server that is starting.
sub connection {
    my ($dsn) = @_;
    for (1 .. 600) {
        my $db = DBI->connect($dsn, undef, undef, { RaiseError => 1, PrintError => 0, AutoCommit => 1 }) if eval { DBI->connect($dsn, undef, undef, { RaiseError => 1, PrintError => 0 })->disconnect; 1 };
        if ($db) {
            $db->do($_) for 'SET client_min_messages = error', 'SET max_parallel_workers_per_gather = 0';
            return $db;
        }
        sleep 0.1;
    }
    die "cannot connect: $DBI::errstr\n";
}

sub append { my ($file, $line) = @_; open my $out, '>>', $file or die "$file: $!\n"; print $out "$line\n"; close $out; return; }
sub note { my ($work, $role, $kind, $seconds) = @_; append("$work/latency.$role", sprintf "%.3f %s", $seconds * 1000, $kind); return; }

sub lines { my ($file) = @_; open my $in, '<', $file or return (); my @lines = <$in>; chomp @lines; return @lines; }
sub told { my ($work) = @_; return (lines("$work/told"))[-1] // 0; }
sub wrong { my ($work) = @_; return map { lines($_) } glob "$work/wrong.*"; }

sub fill {
    my ($db, $batches) = @_;
    $db->do("INSERT INTO t SELECT b, i, point(random() * 1000, random() * 1000), i % 10, 'n' || i FROM generate_series(1, $batches) b, generate_series(1, $ROWS) i");
    $db->do("INSERT INTO ledger SELECT b, $ROWS FROM generate_series(1, $batches) b");
    return;
}

# Forks; returns the process.
sub start {
    my ($role, $dsn, $work, $end) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    srand($$);
    my $run = $role eq 'writer' ? \&_write : \&_read;
    my $db;
    while (time < $end) {
        next if eval { $db = $role eq 'writer' ? { primary => connection($dsn->{primary}) } : { map { $_ => connection($dsn->{$_}) } keys %$dsn };
            $run->($db, $work, $end); 1 };
        my $state = (grep { defined $_->state && $_->state ne '' } values %$db)[0];
        my $error = $@;
        # A crash, a shutdown or a conflict with recovery; all else is wrong.
        append("$work/wrong.$role", "$role: $error") if $error !~ /server closed|terminat|recovery|starting up|shutting down|no connection|cannot connect|could not connect|connection/i;
        eval { $_->disconnect } for values %$db;
        sleep 0.5;
    }
    require POSIX;
    POSIX::_exit(0);
}

# The batch that the table ended with before, whatever was in doubt, is where numbers go on.
sub _write {
    my ($db, $work, $end) = ($_[0]{primary}, @_[1, 2]);
    my ($batch) = $db->selectrow_array('SELECT max(batch) FROM ledger');
    while (time < $end) {
        my $start = time;
        $batch++;
        $db->begin_work;
        my $at = sprintf 'point(%f, %f)', rand 1000, rand 1000;
        $db->do("INSERT INTO t SELECT $batch, i, $at + point(random() * 10, random() * 10), i % 10, 'n' || i FROM generate_series(1, $ROWS) i");
        $db->do("INSERT INTO ledger VALUES ($batch, $ROWS)");
        note($work, 'writer', 'insert 20', time - $start);
        my ($first) = $db->selectrow_array("SELECT batch FROM ledger WHERE batch > random() * $batch - 100 ORDER BY batch LIMIT 1");
        $start = time;
        $db->do("UPDATE t SET p = p + point(random() * 6 - 3, random() * 6 - 3) WHERE batch BETWEEN $first AND $first + 2");
        note($work, 'writer', 'move 60', time - $start);
        my ($oldest) = $db->selectrow_array('SELECT min(batch) FROM ledger');
        $start = time;
        $db->do("DELETE FROM t WHERE batch = $oldest");
        $db->do("DELETE FROM ledger WHERE batch = $oldest");
        note($work, 'writer', 'delete 20', time - $start);
        if (rand() < 0.1) { $db->rollback; $batch--; next; }
        $db->commit;
        append("$work/told", $batch);
        sleep 0.02;
    }
    return;
}

# Kinds of questions; the answer is one row, whatever the plan.
sub _question {
    my ($x, $y) = (rand 1000, rand 1000);
    my $size = (5, 30, 200)[ rand 3 ];
    my $box  = sprintf 'box(point(%f, %f), point(%f, %f))', $x, $y, $x + $size, $y + $size;
    my $one  = int rand 4;
    return ("window $size", "SELECT count(*), sum(batch), sum(id) FROM t WHERE p <@ $box") if $one == 0;
    return ("window $size, k", "SELECT count(*), min(note), sum(batch) FROM t WHERE p <@ $box AND k < 4") if $one == 1;
    return ('index only', "SELECT count(p), sum(k), max(note) FROM t WHERE p <@ $box AND k >= 2") if $one == 2;
    return ('nearest 20', sprintf 'SELECT array_agg(d) FROM (SELECT p <-> point(%f, %f) AS d FROM t ORDER BY 1 LIMIT 20) n', $x, $y);
}

sub _read {
    my ($db, $work, $end) = @_;
    for my $server (values %$db) { $server->do('SET default_transaction_isolation = "repeatable read"'); }
    while (time < $end) {
        my $where = rand() < 0.3 ? 'standby' : 'primary';
        my $server = $db->{$where};
        my ($kind, $sql) = _question();
        $server->begin_work;
        $server->do('SET LOCAL enable_seqscan = off');
        my $start = time;
        my $by_index = join '|', map { $_ // '' } map { ref $_ ? @$_ : $_ } $server->selectrow_array($sql);
        note($work, 'reader', "$kind, $where", time - $start);
        $server->do("SET LOCAL $_") for 'enable_seqscan = on', 'enable_indexscan = off', 'enable_bitmapscan = off', 'enable_indexonlyscan = off';
        my $by_scan = join '|', map { $_ // '' } map { ref $_ ? @$_ : $_ } $server->selectrow_array($sql);
        $server->commit;
        append("$work/wrong.reader", "$where: $sql: by the index $by_index, by the table $by_scan") if $by_index ne $by_scan;
        sleep 0.02;
    }
    return;
}

# Percentiles of what was measured, in ms.
sub report {
    my ($work) = @_;
    my %ms;
    for my $file (glob "$work/latency.*") {
        for (lines($file)) { push @{ $ms{$2} }, $1 if /^([\d.]+) (.*)/; }
    }
    printf "%-28s %8s %9s %9s %9s %9s\n", 'ms', 'number', '50 %', '95 %', '99 %', 'most';
    for my $kind (sort keys %ms) {
        my @sorted = sort { $a <=> $b } @{ $ms{$kind} };
        printf "%-28s %8d %9.2f %9.2f %9.2f %9.2f\n", $kind, scalar @sorted, (map { $sorted[ $_ * $#sorted ] } 0.5, 0.95, 0.99), $sorted[-1];
    }
    return;
}

1;
