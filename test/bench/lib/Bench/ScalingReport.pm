# The tables of Bench::Scaling.  Gets finished results and measures nothing.
package Bench::ScalingReport;
use strict;
use warnings;
use Bench::Text qw(table number megabytes);

my @KINDS = qw(sx sg);

sub kilobytes { my ($bytes) = @_; return number($bytes / 1024) }

sub stages {
    my ($stages, $rescans) = @_;
    table('Many indexes: memory (xtree x, gist g; growth of a session that uses each index once, per index)', 1,
        [ 'indexes', 'fresh session kB', 'with new indexes', 'with all loaded', 'private x kB', 'g', 'contexts x kB', 'g', 'registry x kB',
          'page tables x kB', 'g', 'entries made', 'shared fixed MB', 'dynamic MB', 'mapped MB' ],
        map { my $s = $_; my ($x, $g) = @{ $s->{session} }{@KINDS};
              [ $s->{count}, (map { sprintf '%.0f', $s->{fresh}{$_} / 1024 } qw(before after loaded)), kilobytes($x->{private}), kilobytes($g->{private}),
                kilobytes($x->{contexts}), kilobytes($g->{contexts}), kilobytes($x->{registry}), kilobytes($x->{page_tables}), kilobytes($g->{page_tables}),
                $s->{entries_made}, megabytes($s->{memory}{fixed}), megabytes($s->{dynamic}[1]), megabytes($s->{mapped}) ] } @$stages);
    table('Many indexes: time per use (us), rows inserted per second, and the view', 1,
        [ 'indexes', (map { ("$_ x", 'g', 'ratio') } 'first ever', 'first', 'second', 'first node', 'second node'), 'insert x/s', 'g/s', 'ratio', 'view ms' ],
        map { my $s = $_;
              [ $s->{count}, (map { _pair(@$_{@KINDS}) } (map { $s->{us}{$_} } qw(ever first second)), (map { $s->{node}{$_} } qw(first second)), $s->{inserts}),
                number($s->{view_ms}) ] } @$stages);
    printf "from rescan to last tuple in a nested loop: xtree %s us, gist %s us, ratio %s\n", _pair(@$rescans{@KINDS});
    return;
}

sub _pair { my ($x, $g) = @_; return (number($x), number($g), number($x / $g)) }

sub million {
    my ($s) = @_;
    my $count = $s->{count};
    my @line = (
        [ 'shared memory', $s->{entries_made} / $s->{made}, 'entries' ],
        [ 'private memory of a session', ($s->{fresh}{after} - $s->{fresh}{before}) / $s->{made} / 2, 'bytes' ],
        [ 'catalogs', $s->{catalog}{sx} / $s->{made}, 'bytes' ],
        [ 'files', $s->{file_bytes}, 'bytes' ],
        [ 'pg_stat_xtree_indexes', 1000 * $s->{view_ms} / $count, 'us' ],
    );
    table("Cost of an index that is registered and not used, from $s->{made} indexes, and of a million", 1, [ 'what', 'each', 'unit', 'a million' ],
        map { my ($what, $each, $unit) = @$_;
              [ $what, number($each), $unit, $unit eq 'us' ? number($each) . ' s' : $unit eq 'bytes' ? megabytes(1e6 * $each) . ' MB' : number(1e6 * $each) ] } @line);
    return;
}

sub long {
    my ($f) = @_;
    table("$f->{count} indexes of xtree in one session", 1, [ 'what', 'value' ],
        [ 'growth of a fresh session by registering all, kB', kilobytes($f->{fresh}) ], [ 'loaded', $f->{loaded} ], [ 'with an error', $f->{failed} ],
        [ 'private kB per used index', kilobytes($f->{private}) ], [ 'of it the registry', kilobytes($f->{registry}) ],
        [ 'page tables kB per used index', kilobytes($f->{page_tables}) ], [ 'catalog bytes per index', number($f->{catalog} / $f->{count}) ],
        [ 'first use us', number($f->{us}{first} / $f->{count}) ], [ 'second use us', number($f->{us}{second} / $f->{count}) ],
        [ 'pg_stat_xtree_indexes ms', number($f->{view_ms}) ], [ "a cycle of the worker ms", number($f->{cycle_ms}) ]);
    table('Limits that mapped files could meet', 2, [ 'process', 'what', 'used', 'limit', 'of' ], @{ $f->{limits} });
    return;
}

1;
