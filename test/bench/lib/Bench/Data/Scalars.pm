# Two million rows of four independent uniform columns: a int4, b int8, c float8,
# d timestamptz.  Ranges on 2, 3 and 4 columns and on the two trailing ones, each of
# about 100 rows.  Pure description; see Bench::Data for the fields.
package Bench::Data::Scalars;
use strict;
use warnings;

# Per column: the value at fraction %s of its domain.
my %AT = (
    a => '(%s * 1e6)::int4',
    b => '(%s * 1e15)::int8',
    c => '(%s * 1e6)::float8',
    d => "timestamptz '2016-01-01 00:00:00+00' + %s * interval '3650 days'",
);
my @COLUMNS = sort keys %AT;

sub describe {
    my ($class, $opt) = @_;
    my $rows = $opt->rows(2_000_000, 20_000);
    return {
        key => 'scalars', title => "$rows rows of int4, int8, float8, timestamptz", rows => $rows,
        base    => [ 'CREATE TABLE scalars_base AS ' . _rows($rows) ],
        peers   => [ _peers() ],
        classes => [
            _range($rows, 'r2', 'range on 2 of 4 columns', qw(a b)),
            _range($rows, 'r3', 'range on 3 of 4 columns', qw(a b c)),
            _range($rows, 'r4', 'range on 4 of 4 columns', qw(a b c d)),
            _range($rows, 't2', 'range on the 2 trailing columns', qw(c d)),
        ],
        write   => { columns => \@COLUMNS, rows => \&_rows, peers => [qw(xtree btree btrees btree_gist brin)] },
    };
}

sub _rows {
    my ($count) = @_;
    my $values = join ', ', map { sprintf("$AT{$_} AS $_", 'random()') } @COLUMNS;
    return "SELECT id, $values FROM generate_series(1, $count) AS id";
}

sub _peers {
    return (
        { name => 'xtree',      index => ['CREATE INDEX ON %t USING xtree (a, b, c, d)'] },
        { name => 'btree',      index => ['CREATE INDEX ON %t USING btree (a, b, c, d)'] },
        { name => 'btrees',     index => [ map { "CREATE INDEX ON %t USING btree ($_)" } @COLUMNS ], mode => 'bitmap' },
        { name => 'btree_gist', index => ['CREATE INDEX ON %t USING gist (a, b, c, d)'] },
        { name => 'brin',       index => ['CREATE INDEX ON %t USING brin (a, b, c, d)'], mode => 'bitmap' },
    );
}

# Equal fractions of each column's domain that together keep about 100 rows.
sub _range {
    my ($rows, $key, $title, @columns) = @_;
    my $width  = (100 / $rows)**(1 / @columns);
    my $start  = 1 - $width;
    my $starts = join ', ', map { "random() * $start AS f$_" } @columns;
    my $bounds = join ', ', map { sprintf("$AT{$_} AS lo_$_, $AT{$_} AS hi_$_", "f$_", "(f$_ + $width)") } @columns;
    my $where  = join ' AND ', map { "$_ BETWEEN q.lo_$_ AND q.hi_$_" } @columns;
    my $digest = 'coalesce(sum(hashtext(concat_ws($$,$$, ' . join(', ', @columns) . '))::bigint), 0)';
    return {
        key => $key, group => 'range', title => "$title, ~100 rows", mode => 'index',
        constants => "SELECT $bounds FROM (SELECT $starts FROM generate_series(1, 1000)) r",
        expr => 'count(*)', from => "%t WHERE $where", digest => $digest,
    };
}

1;
