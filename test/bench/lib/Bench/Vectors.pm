# Nearest neighbours of many dimensions: exact ones beside a sequential scan, approximate ones beside pgvector's hnsw and ivfflat at the same recall,
# both with filters; building, size, insertion. One table for all indexes, one of them at a time, one connection. Without pgvector vectors are
# real[], and xtree is compared with the sequential scan alone.
package Bench::Vectors;
use strict;
use warnings;
use Bench::Control;
use Bench::Vectors::Data;
use Bench::Vectors::Quarter;
use Bench::Vectors::Report;
use Bench::Vectors::Search;

my @FILTERS = (
    { key => 'all' },
    { key => '10 %',  where => 'tenant < 100', share => 0.1 },
    { key => '1 %',   where => 'tenant < 10',  share => 0.01 },
    { key => '0.1 %', where => 'tenant = 7',   share => 0.001 },
);
my $ENOUGH  = 0.995;        # recall at which a sweep ends
my $PATIENT = 60e3;         # milliseconds that one setting may take with all queries
my @EF      = (10, 20, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000);
my @PROBES  = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512);

# How each kind of index is made, and the setting that trades recall for time.
sub _peers {
    my ($set, $pgvector) = @_;
    my $rows  = "$set->{key}_rows";
    my $lists = $set->{rows} > 20_000 ? int($set->{rows} / 1000) : 20;
    return (
        { name => 'xtree', index => "CREATE INDEX ON $rows USING xtree (v)", filtered => "CREATE INDEX ON $rows USING xtree (tenant, v)",
          setting => 'xtree.probes', values => \@PROBES, exact => 1 },
        $pgvector ? (
            { name => 'hnsw', index => "CREATE INDEX ON $rows USING hnsw (v $set->{class}) WITH (m = 16, ef_construction = 64)",
              setting => 'hnsw.ef_search', values => \@EF, iterate => 'hnsw.iterative_scan' },
            { name => 'ivfflat', index => "CREATE INDEX ON $rows USING ivfflat (v $set->{class}) WITH (lists = $lists)",
              setting => 'ivfflat.probes', values => [ (grep { $_ < $lists } @PROBES), $lists ], iterate => 'ivfflat.iterative_scan' },
        ) : (),
    );
}

sub run {
    my ($db, $opt) = @_;
    my $missing  = $db->cannot_install('xtree_vector');
    my $pgvector = !$missing;
    print "\nvectors: pgvector's indexes are SKIPPED, $missing\n" if $missing;
    my $control = Bench::Control->new($db);
    my $unreachable = $control->why_not;
    print "\nvectors: a cache of a quarter is SKIPPED, $unreachable\n" if $unreachable;
    $control = undef if $unreachable;
    my (@figures, @targets);
    for my $set (Bench::Vectors::Data::described($opt)) {
        my $why = Bench::Vectors::Data::why_not($set);
        print "\nvectors: $set->{key}: SKIPPED, $why\n" if $why;
        next if $why;
        my $figure = _measure($db, $control, $set, $pgvector);
        Bench::Vectors::Report::tables($figure);
        push @figures, $figure;
        push @targets, Bench::Vectors::Report::targets($figure);
    }
    return { figures => \@figures, targets => \@targets };
}

sub _measure {
    my ($db, $control, $set, $pgvector) = @_;
    Bench::Vectors::Data::load($db, $set, $pgvector ? 'vector' : 'real[]');
    # A graph that does not fit takes hours to build.
    my $memory = int($set->{rows} * ($set->{dims} * 4 + 400) * 1.2 / 2**20) + 64;
    my $figure = { (map { $_ => $set->{$_} } qw(key title dims rows op)), filters => [ map { $_->{key} } @FILTERS ], memory => $memory };
    my %truth;
    Bench::Vectors::Search::choose($db, 'scan');
    for my $filter (@FILTERS) {
        my $run = _search($db, $set, $filter);
        $truth{ $filter->{key} } = $run;
        $figure->{scan}{ $filter->{key} } = { ms => $run->{ms}, queries => $run->{queries} };
    }
    $figure->{scan_quarter} = Bench::Vectors::Quarter::measure($db, $control, $set, 'scan', undef, undef) if $control;
    $set->{memory} = $memory;
    for my $peer (_peers($set, $pgvector)) {
        push @{ $figure->{peers} }, _peer($db, $control, $set, $peer, \%truth);
        _drop_index($db, $set);
    }
    Bench::Vectors::Search::reset($db);
    Bench::Vectors::Data::drop($db, $set);
    return $figure;
}

sub _drop_index {
    my ($db, $set) = @_;
    $db->do("DROP INDEX $_") for $db->column("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = '$set->{key}_rows'::regclass");
    $db->do("VACUUM $set->{key}_rows");    # what insertions left behind
    return;
}

# As many queries as patience allows, by the time of the first few.
sub _search {
    my ($db, $set, $filter) = @_;
    my $name = Bench::Vectors::Search::prepare($db, $set, $filter);
    my $few  = Bench::Vectors::Search::run($db, $name, 3);
    my $most = int($PATIENT / ($few->{ms} + 0.001));
    $most = $most < 10 ? 10 : $most > $set->{queries} ? $set->{queries} : $most;
    return Bench::Vectors::Search::run($db, $name, $most);
}

sub _build {
    my ($db, $set, $statement) = @_;
    $db->do('CHECKPOINT');
    $db->do("SET maintenance_work_mem = '$set->{memory}MB'");
    my $start = $db->clock;
    $db->do($statement);
    return ($db->clock - $start) / 1e6;
}

# The same, or what the access method says why it cannot make such an index.
sub _try_build {
    my ($db, $set, $statement) = @_;
    my $seconds = eval { _build($db, $set, $statement) };
    return ($seconds) if defined $seconds;
    die $@ unless ($db->{dbh}->state // '') eq '54000';
    return (undef, $db->{dbh}->errstr =~ s/\n.*//sr =~ s/^ERROR:\s*//r);
}

sub _peer {
    my ($db, $control, $set, $peer, $truth) = @_;
    my $out = { name => $peer->{name} };
    ($out->{build}, $out->{skipped}) = _try_build($db, $set, $peer->{index});
    return $out if $out->{skipped};
    $out->{size} = $db->value("SELECT pg_indexes_size('$set->{key}_rows')") + 0;
    $db->do('CHECKPOINT');
    for my $filter (@FILTERS) {
        _filtered($db, $set, $peer, $out) if $filter->{where} && $peer->{filtered} && !defined $out->{insert};
        Bench::Vectors::Search::choose($db, 'index');
        Bench::Vectors::Search::require_index($db, $set, $filter);
        $out->{curve}{ $filter->{key} } = _sweep($db, $set, $peer, $filter, $truth->{ $filter->{key} });
        $out->{quarter} = _quarter($db, $control, $set, $peer, $out->{curve}{all}) if $control && !$filter->{where};
    }
    $out->{insert} //= _insert($db, $set);
    return $out;
}

# The index for all filters in the place of the other; where it cannot be, the filter is left to the rows.
sub _filtered {
    my ($db, $set, $peer, $out) = @_;
    $out->{insert} = _insert($db, $set);
    _drop_index($db, $set);
    ($out->{filtered_build}, $out->{filtered_skipped}) = _try_build($db, $set, $peer->{filtered});
    _build($db, $set, $peer->{index}) if $out->{filtered_skipped};
    $out->{filtered_size} = $db->value("SELECT pg_indexes_size('$set->{key}_rows')") + 0;
    return;
}

# The exact answer, and the first value with a recall of 0.95.
sub _quarter {
    my ($db, $control, $set, $peer, $curve) = @_;
    my ($approximate) = grep { $_->{value} ne 'exact' && $_->{recall} >= 0.95 } @$curve;
    my @values = ($peer->{exact} ? undef : (), $approximate ? $approximate->{value} : ());
    return @values ? Bench::Vectors::Quarter::measure($db, $control, $set, 'index', $peer->{setting}, @values) : undef;
}

sub _has_setting { my ($db, $name) = @_; return defined $db->value("SELECT current_setting('$name', true)") }

# Recall and time for each value of the setting, and without it where the answer is then exact.
sub _sweep {
    my ($db, $set, $peer, $filter, $truth) = @_;
    my @points;
    my $try = sub {
        my ($value) = @_;
        my $run  = _search($db, $set, $filter);
        my $same = Bench::Vectors::Search::compare($truth, $run);
        push @points, { value => $value, ms => $run->{ms}, queries => $run->{queries}, %$same };
        return $same->{recall};
    };
    if ($peer->{exact}) {
        my $recall = $try->('exact');
        $db->differ("vectors, $set->{key}, $filter->{key}: exact search by $peer->{name} finds " . 100 * $recall . ' % of what the sequential scan finds')
            if $recall < 1 || $points[-1]{short};
    }
    return \@points unless _has_setting($db, $peer->{setting});
    my $iterates = $filter->{where} && $peer->{iterate} && _has_setting($db, $peer->{iterate});
    $db->do("SET $peer->{iterate} = relaxed_order") if $iterates;
    for my $value (@{ $peer->{values} }) {
        $db->do("SET $peer->{setting} = $value");
        last if $try->($value) >= $ENOUGH;
    }
    $db->do("RESET $peer->{setting}");
    $db->do("RESET $peer->{iterate}") if $iterates;
    return \@points;
}

# Rows a second, one INSERT each in one transaction, which is rolled back.
sub _insert {
    my ($db, $set) = @_;
    $db->do(<<"SQL");
CREATE OR REPLACE FUNCTION $set->{key}_insert(OUT us float8) LANGUAGE plpgsql AS \$\$
DECLARE
    n $set->{key}_more%ROWTYPE;
    start float8 := ${\ $db->clock_sql};
BEGIN
    FOR n IN SELECT * FROM $set->{key}_more LOOP
        INSERT INTO $set->{key}_rows VALUES (n.id, n.tenant, n.v);
    END LOOP;
    us := ${\ $db->clock_sql} - start;
END \$\$
SQL
    $db->do('BEGIN');
    my $us = $db->value("SELECT us FROM $set->{key}_insert()");
    $db->do('ROLLBACK');
    return $set->{inserts} / ($us / 1e6);
}

1;
