# The price of an index for writers.  The same rows go into a table without an index
# and into tables with one index each (loaded alike, row for row): the index share is
# the time with the index minus the time without it, per row, paired by round.
#
# single   prepared single-row INSERTs in one transaction (a loop inside the server)
# multi    INSERT ... SELECT        copy     COPY FROM a binary file of the server
# update   single-row UPDATEs of the indexed columns by ctid, at random places
#
# WAL is the difference of the insert position, with full_page_writes = off: images after
# a checkpoint depend on the distance of checkpoints, not on the index.  Images that an
# access method itself asks for remain and are counted (images, per row).
package Bench::Write;
use strict;
use warnings;
use File::Temp ();
use Bench::Build;
use Bench::Stats qw(mean median paired_median);

my @KINDS = qw(single multi copy update);

sub kinds { return @KINDS }

sub measure {
    my ($db, $opt, $set) = @_;
    my ($batch, $most) = ($opt->rows(20_000, 4_000), int($set->{rows} / $opt->{rounds}));
    my $job = {
        set => $set, batch => $batch < $most ? $batch : $most, rounds => $opt->{rounds},
        columns => join(', ', @{ $set->{write}{columns} }), dir => File::Temp->newdir(TMPDIR => 1),
        samples => {},
    };
    chmod 0777, "$job->{dir}";    # the server's account writes and reads the COPY files
    my %may = map { $_ => 1 } @{ $set->{write}{peers} };
    my @variants = ({ name => 'none', index => [] }, grep { $may{ $_->{name} } } @{ $set->{peers} });
    _load($db, $job, @variants);
    for my $round (0 .. $job->{rounds} - 1) { _round($db, $job, $round, @variants) }
    _check_counts($db, $job, @variants);
    my $result = [ map { _summary($db, $job, $_) } @variants ];
    $db->do('DROP TABLE ' . join(', ', 'write_new', 'write_moves', map { "write_$_->{name}" } @variants) . ' CASCADE');
    return $result;
}

sub _load {
    my ($db, $job, @variants) = @_;
    my ($set, $rounds, $batch) = ($job->{set}, @$job{qw(rounds batch)});
    $db->seed(0.77);
    my $rows = $set->{write}{rows};
    $db->do('CREATE TABLE write_base AS ' . $rows->($set->{rows}));
    $db->do('CREATE TABLE write_new AS ' . $rows->(3 * $rounds * $batch));
    $db->do('ALTER TABLE write_new ADD PRIMARY KEY (id)');
    for my $variant (@variants) {
        my $table = "write_$variant->{name}";
        $db->do("CREATE TABLE $table AS SELECT * FROM write_base");
        Bench::Build::create_indexes($db, $table, $variant);
    }
    _choose_moves($db, $job);
    _make_functions($db, $job, "write_$_->{name}") for @variants;
    $db->do('DROP TABLE write_base');
    return;
}

# Random rows and their new values: the same places in every table, since all were loaded alike.
sub _choose_moves {
    my ($db, $job) = @_;
    my $count = $job->{rounds} * $job->{batch};
    my $new   = $job->{set}{write}{rows}->($count);
    $db->do("CREATE TABLE write_moves AS SELECT n.*, o.place FROM ($new) n JOIN
             (SELECT row_number() OVER () AS id, place
              FROM (SELECT ctid AS place FROM write_none ORDER BY random() LIMIT $count) r) o USING (id)");
    $db->do('ALTER TABLE write_moves ADD PRIMARY KEY (id)');
    $db->do('ANALYZE write_moves');
    return;
}

sub _loop {
    my ($db, $name, $source, $statement) = @_;
    return <<"SQL";
CREATE OR REPLACE FUNCTION $name(first int, last int, OUT us float8, OUT done int8) LANGUAGE plpgsql AS \$\$
DECLARE
    q $source%ROWTYPE;
    start float8 := ${\ $db->clock_sql};
BEGIN
    done := 0;
    FOR q IN SELECT * FROM $source WHERE id BETWEEN first AND last LOOP
        $statement;
        IF FOUND THEN done := done + 1; END IF;
    END LOOP;
    us := ${\ $db->clock_sql} - start;
END \$\$
SQL
}

sub _make_functions {
    my ($db, $job, $table) = @_;
    my @columns = @{ $job->{set}{write}{columns} };
    my $values  = join ', ', map { "q.$_" } @columns;
    my $sets    = join ', ', map { "$_ = q.$_" } @columns;
    $db->do(_loop($db, "single_$table", 'write_new',   "INSERT INTO $table (id, $job->{columns}) VALUES (q.id, $values)"));
    $db->do(_loop($db, "update_$table", 'write_moves', "UPDATE $table SET $sets WHERE ctid = q.place"));
    return;
}

sub _round {
    my ($db, $job, $round, @variants) = @_;
    for my $kind (@KINDS) {
        my $slice = _slice($job, $round, $kind);
        for my $variant (@variants) {
            my ($wal, $images) = $db->wal;
            my $us = _run($db, $job, $kind, "write_$variant->{name}", $slice);
            my ($wal_after, $images_after) = $db->wal;
            my $sample = $job->{samples}{ $variant->{name} }{$kind} //= { us => [], wal => [], images => 0 };
            push @{ $sample->{us} },  $us / $job->{batch};
            push @{ $sample->{wal} }, ($wal_after - $wal) / $job->{batch};
            $sample->{images} += $images_after - $images;
        }
    }
    return;
}

# The ids of one round and kind in write_new (or, for updates, in write_moves).
sub _slice {
    my ($job, $round, $kind) = @_;
    my %place = (single => 0, multi => 1, copy => 2);
    my $first = 1 + $job->{batch} * ($kind eq 'update' ? $round : 3 * $round + $place{$kind});
    return { first => $first, last => $first + $job->{batch} - 1 };
}

sub _run {
    my ($db, $job, $kind, $table, $slice) = @_;
    my $select = "SELECT id, $job->{columns} FROM write_new WHERE id BETWEEN $slice->{first} AND $slice->{last}";
    if ($kind eq 'copy') {
        my $file = "$job->{dir}/$slice->{first}";
        $db->do("COPY ($select) TO '$file' WITH (FORMAT binary)") unless -e $file;
        return _timed($db, "COPY $table FROM '$file' WITH (FORMAT binary)");
    }
    return _timed($db, "INSERT INTO $table $select") if $kind eq 'multi';
    my ($us, $done) = $db->row("SELECT * FROM ${kind}_$table($slice->{first}, $slice->{last})");
    die "$kind $table: $done rows instead of $job->{batch}\n" if $done != $job->{batch};
    return $us;
}

sub _timed {
    my ($db, $sql) = @_;
    my $start = $db->clock;
    $db->do($sql);
    return $db->clock - $start;
}

# All rows arrived, in every table.
sub _check_counts {
    my ($db, $job, @variants) = @_;
    my $expected = $job->{set}{rows} + 3 * $job->{rounds} * $job->{batch};
    for my $variant (@variants) {
        my $count = $db->value("SELECT count(*) FROM write_$variant->{name}");
        $db->differ("write_$variant->{name}: $count rows instead of $expected") if $count != $expected;
    }
    return;
}

sub _summary {
    my ($db, $job, $variant) = @_;
    my ($own, $none) = @{ $job->{samples} }{ $variant->{name}, 'none' };
    my %kind = map {
        $_ => {
            us => median(@{ $own->{$_}{us} }),
            share_us => paired_median($own->{$_}{us}, $none->{$_}{us}),
            wal => mean(@{ $own->{$_}{wal} }),
            share_wal => mean(@{ $own->{$_}{wal} }) - mean(@{ $none->{$_}{wal} }),
            images_per_row => $own->{$_}{images} / ($job->{batch} * $job->{rounds}),
        }
    } @KINDS;
    return { peer => $variant->{name}, rows => $job->{batch} * $job->{rounds}, kinds => \%kind,
             bytes => $db->value("SELECT pg_indexes_size('write_$variant->{name}')") + 0 };
}

1;
