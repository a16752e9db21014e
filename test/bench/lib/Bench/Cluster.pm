# CLUSTER by an index: how far rows lie from the next one on the heap's pages, and how many of these a small window reads.  Of
# points, by the index as it was built, and by one that has grown since.  Counts pages and computes distances, so the
# machine does not matter.
package Bench::Cluster;
use strict;
use warnings;
use Bench::Ratios;
use Bench::Text qw(table number);

my $WINDOWS = 300;
my $SIDE    = 1000;

sub run {
    my ($db, $opt) = @_;
    my $rows = $opt->rows(100_000, 20_000);
    $db->seed(0.11);
    $db->do('CREATE TABLE cluster_base AS ' . _rows($rows));
    $db->do('CREATE TABLE cluster_more AS ' . _rows($rows));
    $db->do('CREATE TABLE cluster_windows AS SELECT box(point(x, y), point(x + s, y + s)) AS w FROM
        (SELECT random() * 900 AS x, random() * 900 AS y, ' . $SIDE * sqrt(50 / $rows) . " AS s FROM generate_series(1, $WINDOWS)) c");
    my %figures = map { $_ => _measure($db, $_) } grep { $opt->has_peer($_) } qw(xtree gist);
    $db->do("DROP TABLE cluster_$_") for qw(base more windows);
    _report($rows, \%figures);
    return { figures => \%figures, targets => [ _targets(\%figures) ] };
}

sub _rows { my ($rows) = @_; return "SELECT g AS id, point(random() * $SIDE, random() * $SIDE) AS p FROM generate_series(1, $rows) g" }

sub _measure {
    my ($db, $peer) = @_;
    my $table = "cluster_$peer";
    $db->do("CREATE TABLE $table AS SELECT * FROM cluster_base");
    $db->do("CREATE INDEX ${table}_i ON $table USING $peer (p)");
    my %figures = (built => _cluster($db, $table));
    $db->do("INSERT INTO $table SELECT * FROM cluster_more");
    $figures{grown} = _cluster($db, $table);
    $db->do("DROP TABLE $table");
    return \%figures;
}

sub _cluster {
    my ($db, $table) = @_;
    $db->do("CLUSTER $table USING ${table}_i");
    $db->do("VACUUM (ANALYZE) $table");
    my $step = $db->value("SELECT avg(d) FROM (SELECT p <-> lag(p) OVER (ORDER BY ctid) AS d FROM $table) s");
    my ($pages, $found) = $db->row("SELECT avg(pages), sum(rows) FROM cluster_windows q, LATERAL
        (SELECT count(DISTINCT split_part(ctid::text, ',', 1)) AS pages, count(*) AS rows FROM $table WHERE p <@ q.w) r");
    my $expected = $db->value("SELECT sum((SELECT count(*) FROM $table t WHERE box(t.p, t.p) <@ q.w)) FROM cluster_windows q");
    $db->differ("$table after CLUSTER: $found rows by the index, $expected without") if $found != $expected;
    return { step => $step, pages => $pages, rows => $found / $WINDOWS };
}

sub _lines { return map { my $when = $_; map { [ $when, @$_ ] } [ step => 'distance of neighbouring rows' ], [ pages => 'heap pages of a window' ] } qw(built grown) }

sub _report {
    my ($rows, $figures) = @_;
    my @rows = map { my ($when, $key, $what) = @$_; [ $what, $when, map { number($figures->{$_}{$when}{$key}) } sort keys %$figures ] } _lines();
    table("CLUSTER of $rows points, and of twice as many by an index that has grown", 2, [ 'measure', 'index', sort keys %$figures ], @rows);
    return;
}

sub _targets {
    my ($figures) = @_;
    return unless $figures->{gist};
    return map { my ($when, $key, $what) = @$_; Bench::Ratios::target("CLUSTER, index $when: $what", 'gist', $figures->{xtree}{$when}{$key}, $figures->{gist}{$when}{$key}, 1.0) } _lines();
}

1;
