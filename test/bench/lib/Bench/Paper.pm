# The effect that gave the X-tree its name: pages read per query of an X-tree and of the
# same tree whose directory nodes always split topologically, as an R*-tree's do
# (max_overlap = 1).  Both grow by INSERTs, in 2 to 16 dimensions.
# Data: uniform; clustered; features of a few hidden values.
# Answers of the two trees are compared, and a few with a sequential scan's.
package Bench::Paper;
use strict;
use warnings;

my %TREE      = ('X-tree' => '', 'R* splits' => 'WITH (max_overlap = 1)');
my @DIMS      = (2, 4, 8, 16);
my %HALF      = (    # half the side of a window: about ten rows of uniform data, part of a cluster, a neighbourhood
    uniform   => sub { my ($rows, $dims) = @_; return (10 / $rows)**(1 / $dims) / 2 },
    clustered => sub { my ($rows, $dims) = @_; return 0.05 + 0.002 * $dims },
    features  => sub { return 0.02 },
);
my $CONSTANTS = 300;
my $VERIFIED  = 20;

sub measure {
    my ($db, $opt) = @_;
    my $rows = $opt->rows(100_000, 10_000);
    my @results;
    for my $data (qw(uniform clustered features)) {
        push @results, map { _measure_dims($db, $data, $_, $rows) } @DIMS;
    }
    return \@results;
}

sub _measure_dims {
    my ($db, $data, $dims, $rows) = @_;
    $db->seed(0.16);
    _generate($db, $data, $dims, $rows);
    my @trees = map { _grow($db, $data, $dims, $rows, $_) } sort { $b cmp $a } keys %TREE;
    for my $class (qw(point window)) {
        my $condition = _condition($class, $data, $dims, $rows);
        $_->{classes}{$class} = _search($db, $condition, $_->{table}) for @trees;
        _compare($db, "$data, $dims dimensions, $class", $condition, $class, @trees);
    }
    $db->do('DROP TABLE paper_base, paper_q, ' . join ', ', map { $_->{table} } @trees);
    return @trees;
}

sub _columns { my ($dims) = @_; return map { "c$_" } 1 .. $dims }

sub _generate {
    my ($db, $data, $dims, $rows) = @_;
    my %make = (uniform => \&_uniform, clustered => \&_clustered, features => \&_features);
    $db->do('CREATE TABLE paper_base AS ' . $make{$data}->($rows, _columns($dims)));
    my $list = join ', ', _columns($dims);
    $db->do("CREATE TABLE paper_q AS SELECT row_number() OVER ()::int AS id, * FROM
             (SELECT $list FROM paper_base ORDER BY random() LIMIT $CONSTANTS) s");
    return;
}

sub _uniform {
    my ($rows, @columns) = @_;
    return 'SELECT ' . join(', ', map { "random() AS $_" } @columns) . " FROM generate_series(1, $rows)";
}

# 100 centres, each with a triangular spread of a tenth of the domain.
sub _clustered {
    my ($rows, @columns) = @_;
    my $centre = join ', ', map { "random() AS $_" } @columns;
    my $spread = join ', ', map { "$_ + 0.1 * (random() + random() - 1) AS $_" } @columns;
    return "SELECT $spread FROM generate_series(1, $rows) AS n
            JOIN (SELECT id, $centre FROM generate_series(0, 99) AS id) m ON id = n % 100 ORDER BY hashint4(n)";
}

# Smooth functions of three hidden values plus a little noise, as descriptors of images or shapes are.
sub _features {
    my ($rows, @columns) = @_;
    my @values = map {
        my $d = $_ + 1;
        sprintf '0.5 + 0.4 * sin(%.3f * u + %.3f * v + %.3f * w) + 0.02 * random() AS %s', 1.7 * $d, 2.3 * ($d % 5), 3.1 * ($d % 3), $columns[$_]
    } 0 .. $#columns;
    return 'SELECT ' . join(', ', @values)
        . " FROM (SELECT random() AS u, random() AS v, random() AS w FROM generate_series(1, $rows) OFFSET 0) hidden";
}

sub _grow {
    my ($db, $data, $dims, $rows, $tree) = @_;
    my $table   = $tree eq 'X-tree' ? 'paper_x' : 'paper_r';
    my $columns = join ', ', _columns($dims);
    $db->do("CREATE TABLE $table (LIKE paper_base)");
    $db->do("CREATE INDEX ${table}_idx ON $table USING xtree ($columns) $TREE{$tree}");
    my $start = $db->clock;
    $db->do("INSERT INTO $table SELECT * FROM paper_base");
    my $us = $db->clock - $start;
    $db->do("VACUUM (ANALYZE) $table");
    my $info = $db->hash("SELECT max(height) AS height, sum(supernodes) AS supernodes,
        max(overlap) FILTER (WHERE level > 0) AS overlap FROM xtree_index_info('${table}_idx')");
    return {
        data => $data, dims => $dims, tree => $tree, table => $table, rows => $rows,
        insert_us => $us / $rows, bytes => $db->value("SELECT pg_relation_size('${table}_idx')") + 0,
        supernodes => $info->{supernodes}, height => $info->{height},
        overlap => $info->{overlap},
    };
}

# A window is a cube around a row.
sub _condition {
    my ($class, $data, $dims, $rows) = @_;
    return join ' AND ', map { "t.$_ = q.$_" } _columns($dims) if $class eq 'point';
    my $half = $HALF{$data}->($rows, $dims);
    return join ' AND ', map { "t.$_ BETWEEN q.$_ - $half AND q.$_ + $half" } _columns($dims);
}

sub _per_constant {
    my ($condition, $table, $most) = @_;
    return "SELECT (SELECT count(*) FROM $table t WHERE $condition) FROM paper_q q WHERE q.id <= $most";
}

sub _search {
    my ($db, $condition, $table) = @_;
    $db->do('SET enable_seqscan = off');
    $db->do('SET enable_bitmapscan = off');
    my $sql    = _per_constant($condition, $table, $CONSTANTS);
    my @warm   = $db->column($sql);
    my $before = $db->counters($table);
    my $start  = $db->clock;
    my @hits   = $db->column($sql);
    my $us     = $db->clock - $start;
    my $after  = $db->counters($table);
    $db->do("RESET $_") for qw(enable_seqscan enable_bitmapscan);
    die "$table: not answered by its index\n" if $after->{index_scans} - $before->{index_scans} < $CONSTANTS;
    my $rows = 0;
    $rows += $_ for @hits;
    return {
        hits => join(',', @hits), rows => $rows / $CONSTANTS, us => $us / $CONSTANTS,
        pages => ($after->{index_blocks} - $before->{index_blocks}) / $CONSTANTS,
    };
}

sub _compare {
    my ($db, $where, $condition, $class, @trees) = @_;
    my @truth = $db->column(_per_constant($condition, 'paper_base', $VERIFIED));
    for my $tree (@trees) {
        my @hits = split /,/, delete $tree->{classes}{$class}{hits};
        my $said = join ',', @hits;
        $tree->{said}{$class} = $said;
        $db->differ("$where: $tree->{tree} and a sequential scan") if join(',', @hits[ 0 .. $VERIFIED - 1 ]) ne join(',', @truth);
        $db->differ("$where: $tree->{tree} and $trees[0]{tree}") if $said ne $trees[0]{said}{$class};
    }
    delete $_->{said} for @trees;
    return;
}

1;
