# What the oracle may ask of each access method under test.
#
#   setup      statement that makes its operator classes available
#   companions extensions with operator classes for other extensions' types, by those extensions' names
#   multi      takes several columns;  include: INCLUDE;  exclusion: EXCLUDE of any operator
#   options    storage parameter => values worth trying
#   cluster    CLUSTER can follow it
#   load       statement that maps an index in the session, %s its name; reads: query for (pages read through mappings, all read)
#   check      statements that verify one index, %s its name
#   describe   query for the shape of one index, which the statistics count
#   strict     an operator that never reaches the index fails the run
#   tolerated  SQLSTATEs of the method's known limits
#   masked     data that provokes the method's known deviations; not generated
#              unless --mask-nothing is given. xtree has none.
# Client side only: talks to no server, takes no lock.
package Oracle::Am;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(am_record am_names);

my %AMS = (
    xtree => {
        strict   => 1,
        build    => 'CALL xtree_build(\'%s\')',    # an index with build = deferred
        setup    => 'CREATE EXTENSION IF NOT EXISTS xtree_btree_gist CASCADE',
        companions => { cube => 'xtree_cube', isn => 'xtree_isn', postgis => 'xtree_postgis', seg => 'xtree_seg', vector => 'xtree_vector' },
        multi    => 1, include => 1, exclusion => 1, cluster => 1,
        load     => "SELECT CASE WHEN preloaded THEN xtree_load('%s') END FROM pg_stat_xtree_memory",
        reads    => "SELECT coalesce(sum(mapped_reads), 0), coalesce(sum(mapped_reads + buffer_reads), 0) FROM pg_stat_xtree_indexes",
        check    => [
            'SELECT xtree_check(%s::regclass, true)',
            'SELECT * FROM xtree_index_info(%s::regclass)',
            'SELECT count(*) FROM xtree_nodes(%s::regclass)',
        ],
        describe => "SELECT 'height ' || max(height) || CASE WHEN sum(supernodes) > 0 THEN ' with supernodes' ELSE '' END"
            . ' FROM xtree_index_info(%s::regclass)',
        masked   => {},
        options  => {
            fillfactor          => [ 10, 10, 30, 70, 100 ],
            max_overlap         => [ 0, 0, 0.01, 0.2, 1 ],
            min_fanout          => [ 0, 0.1, 0.35, 0.5, 0.5 ],
            max_supernode_pages => [ 1, 2, 8, 64 ],
            build               => [ 'immediate', 'immediate', 'deferred' ],
            structure           => [ 'auto', 'auto', 'tree', 'clusters', 'clusters' ],
            clusters            => [ 0, 1, 2, 20, 500 ],
        },
    },
    # Known: NaN is lost by the inner consistent functions, constants within
    # EPSILON of a node's border as well, and box areas overflow into an ERROR.
    # A large INCLUDE payload does not fit a page of a low fillfactor (54000).
    # Index-only scans do not hold back a concurrent VACUUM and return dead rows.
    gist => {
        setup    => 'CREATE EXTENSION IF NOT EXISTS btree_gist',
        multi    => 1, include => 1, exclusion => 1, cluster => 1,
        tolerated => { 54000 => 1 },
        masked   => { nan => 1, eps => 1, overflow => 1, inf => 1, 'only-scan' => 1 },
        options  => { fillfactor => [ 10, 30, 100 ], buffering => [ 'on', 'off' ] },
    },
    spgist => {
        setup    => 'SELECT 1',
        multi    => 0, include => 1,
        masked   => { nan => 1, eps => 1, overflow => 1, inf => 1, 'only-scan' => 1 },
        options  => { fillfactor => [ 10, 30, 100 ] },
    },
    btree => {
        setup    => 'SELECT 1',
        multi    => 1, include => 1, cluster => 1,
        masked   => {},
        options  => { fillfactor => [ 10, 30, 100 ], deduplicate_items => [ 'on', 'off' ] },
    },
);

sub am_record {
    my ($name) = @_;
    my $am = $AMS{$name} // die "unknown access method \"$name\"; known: " . join(', ', am_names()) . "\n";
    return { %$am, name => $name };
}

sub am_names { my @names = sort keys %AMS; return @names }

1;
