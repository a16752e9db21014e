# Random queries over a random table, as data, and their SQL text.
#
# A query is a hash: quals and probes can be dropped one by one by the shrinker,
# and the text is made from what is left.
#   shape   rows, count, covering, knn, join, joinsum, exists, notin (of a probe), semi, anti (of a row), lateral,
#           pairs (of the table with itself, by an operator of two columns: joins of two trees; join: inner, left, semi or anti)
#   fetch   plain, prepared, scroll (cursor moved both ways), dml (cursor held
#           open while its own transaction writes), vacuum (while another one
#           vacuums), or write (DML RETURNING)
#   before, writes  steps before the comparison, and while the cursor is open
#   quals   conditions on t;  fixed: the partial index's predicate
#   probes  constants of the outer side of a join;  probe_qual: condition with v.x;  probe_cutoff: with a radius v.r
#   ops     what the statistics count: [type, operator, argument type]
#   force   planner settings of the run through the index
# Client side only: talks to no server, takes no lock.
package Oracle::Query;
use strict;
use warnings;
use Oracle::Random;
use Oracle::Condition qw(argument placed random_operator condition atom filter guarded);
use Oracle::Types qw(is_call);
use Oracle::Cutoff qw(cutoff probe_cutoff);
use Exporter 'import';
our @EXPORT_OK = qw(random_query query_sql with_values prepared_sql);

# --- shapes ---------------------------------------------------------------------

sub add_quals {
    my ($q, $table, $index, $least) = @_;
    my $n = $least + pick(0, 0, 0, 1, 1, 2);
    for my $i (1 .. $n) {
        my $key = pick(@{ $index->{keys} });
        push @{ $q->{quals} }, atom($q, $key);
    }
    push @{ $q->{quals} }, guarded($q, $table, $index) if chance($table->{risky} ? 40 : 8);
    push @{ $q->{quals} }, filter($q, $table, $index)  if chance(12);
    return;
}

sub metric {
    my ($key, $argtype) = @_;
    my $metrics = $key->{type}{metrics} // ['<->'];
    return pick(@{ ref $metrics eq 'HASH' ? $metrics->{$argtype} : $metrics });
}

sub shown {
    my ($key, $distance) = @_;
    return '(' . sprintf($key->{type}{shown} // '%s', $distance) . ')::text';
}

sub distances {
    my ($q, $index) = @_;
    my @keys = grep { @{ $_->{type}{knn} } } @{ $index->{keys} };
    for my $key (sample(chance(8) ? 2 : 1, @keys)) {
        my $argtype = pick(@{ $key->{type}{knn} });
        my $op = metric($key, $argtype);
        push @{ $q->{ops} },   [ $key->{type}{name}, $op, $argtype ];
        my $text = argument($key, $argtype, 2);
        my $constant = placed($q, $argtype, $text);
        push @{ $q->{order} }, "$key->{sql} $op $constant";
        push @{ $q->{quals} }, map { cutoff($q, $key, $op, $argtype, $text, $constant) } 1 .. pick(0, 0, 0, 0, 1, 1, 2);
        push @{ $q->{shown} }, shown($key, $q->{order}[-1]);
    }
    $q->{limit} = pick(undef, 1, 3, 10, 100, 1000);
    return;
}

# A condition on a distance without the order.
sub add_cutoff {
    my ($q, $index) = @_;
    my @keys = grep { @{ $_->{type}{knn} } } @{ $index->{keys} } or return;
    my $key = pick(@keys);
    my $argtype = pick(@{ $key->{type}{knn} });
    my $text = argument($key, $argtype, 2);
    my $op = pick(metric($key, $argtype), @{ $key->{type}{unordered} // [] });
    push @{ $q->{quals} }, cutoff($q, $key, $op, $argtype, $text, placed($q, $argtype, $text));
    return;
}

sub add_probes {
    my ($q, $index, $ordering) = @_;
    my @keys = $ordering ? grep { @{ $_->{type}{knn} } } @{ $index->{keys} } : @{ $index->{keys} };
    my $key  = pick(@keys);
    my ($op, $argtype) = ('', $ordering ? pick(@{ $key->{type}{knn} }) : '');
    $op = metric($key, $argtype) if $ordering;
    ($op, $argtype) = random_operator($q, $key) unless $ordering;
    push @{ $q->{ops} }, [ $key->{type}{name}, $op, $argtype ] if $ordering;
    my $count = pick(1, 3, 10, 30, $ordering ? 150 : ());
    $q->{probes} = [ map { [ $_, argument($key, $argtype, 6) ] } 1 .. $count ];
    $q->{probe_qual}  = condition($key, $op, 'v.x');
    $q->{probe_shown} = shown($key, $q->{probe_qual});
    return unless $ordering;
    $q->{limit} = pick(1, 5, 20);
    probe_cutoff($q, $key, $op, $argtype) if chance(35);
    return;
}

# The table's own rows are the other side, as far as it is not too large to try all pairs.
sub add_pairs {
    my ($q, $table, $index, $alone) = @_;
    my @keys = grep { $_->{type}{ops}{ $_->{type}{name} } } @{ $index->{keys} };
    return unless @keys;
    my $key  = pick(@keys);
    my $name = $key->{type}{name};
    my @ops  = @{ $key->{type}{ops}{$name} };
    my @both = grep { /^(?:&&|\@>|<\@|=|~=|~|\@)$/ || is_call($_) } @ops;
    my $op   = @both && chance(90) ? pick(@both) : pick(@ops);
    push @{ $q->{ops} }, [ $name, $op, $name ];
    $q->{probe_qual} = condition($key, $op, 'v.x');
    # Beside writers a table may have any number of rows, and long snapshots hold up their REINDEX CONCURRENTLY.
    my $some = !$alone ? 'id % 97 = 5' : $table->{next_id} > 1000 ? 'id % ' . int($table->{next_id} / 300 + 1) . ' = 0' : pick('true', 'true', 'id % 3 > 0');
    $q->{join} = pick_weighted(inner => 40, left => 30, semi => 15, anti => 15);
    $q->{pairs} = "(SELECT id AS k, $key->{sql} AS x FROM t" . where_clause(@{ $q->{fixed} }, $some) . ') v';
    return;
}

sub fill_shape {
    my ($q, $table, $index, $may_write) = @_;
    my $shape = $q->{shape};
    if    ($shape eq 'knn')     { distances($q, $index); add_quals($q, $table, $index, pick(0, 0, 1)) }
    elsif ($shape eq 'pairs')   { add_pairs($q, $table, $index, $may_write); add_quals($q, $table, $index, 0) }
    elsif ($shape eq 'lateral') { add_probes($q, $index, 1); add_quals($q, $table, $index, pick(0, 0, 1)) }
    elsif ($shape =~ /^(join|joinsum|exists|notin|semi|anti)$/) { add_probes($q, $index, 0); add_quals($q, $table, $index, 0) }
    else                        { add_quals($q, $table, $index, 1); add_cutoff($q, $index) if chance(5) }
    $q->{columns} = [ 'id' ];
    $q->{columns} = [ sample(irange(1, 4), (map { $_->{sql} } @{ $index->{keys} }), @{ $index->{include} }) ]
        if $shape eq 'covering';
    return;
}

sub random_shape {
    my ($table, $index) = @_;
    my $ordering = grep { @{ $_->{type}{knn} } } @{ $index->{keys} };
    my $large    = $table->{next_id} > 1000;
    return pick_weighted(rows => 40, count => 4, covering => 18, join => $large ? 0 : 7, joinsum => $large ? 7 : 0,
        exists => 4, notin => 2, pairs => 6, semi => 3, anti => 1, knn => $ordering ? 22 : 0, lateral => $ordering ? 8 : 0);
}

sub random_fetch {
    my ($shape, $may_write) = @_;
    return 'plain' unless $shape =~ /^(rows|covering|knn)$/;
    return pick_weighted(plain => 78, prepared => 8, scroll => 6, dml => $may_write ? 5 : 0, vacuum => $may_write ? 1.5 : 0,
        write => $may_write && $shape eq 'rows' ? 3 : 0);
}

# --- planner settings -------------------------------------------------------------

sub random_force {
    my ($shape) = @_;
    my %off = (enable_seqscan => 'off');
    my $way = $shape =~ /knn|lateral/ ? pick_weighted(ordered => 85, any => 15)
        : pick_weighted(bitmap => 30, plain => 25, covering => 25, any => 20);
    $off{enable_bitmapscan}    = 'off' if $way ne 'any' && $way ne 'bitmap';
    $off{enable_sort}          = 'off' if $way eq 'ordered';
    $off{enable_indexonlyscan} = 'off' if $way eq 'plain' || $way eq 'bitmap' || ($way eq 'ordered' && chance(50));
    $off{enable_indexscan}     = 'off' if $way eq 'bitmap';
    if ($shape eq 'pairs') {
        $off{$_} = 'off' for qw(enable_hashjoin enable_mergejoin enable_nestloop);
    }
    if ($shape =~ /join|exists|notin|lateral|semi|anti/) {
        $off{$_} = 'off' for qw(enable_hashjoin enable_mergejoin enable_material);
        $off{enable_memoize} = 'off' if chance(50);
    }
    # Instead of a nested loop, or of a join of two trees: lookups.
    if ($shape =~ /join|exists|notin|semi|anti|pairs/ && chance(40)) {
        $off{$_} = 'off' for qw(enable_nestloop xtree.enable_tree_join);
        delete $off{enable_indexscan};
    }
    # The nearest rows in batches (XtreeNearestJoin), which stands for a nested loop.
    $off{enable_nestloop} = 'off' if $shape eq 'lateral' && chance(60);
    $off{work_mem} = "'64kB'" if chance(10);
    $off{'xtree.use_mmap'} = 'off' if chance(10);
    @off{qw(max_parallel_workers_per_gather min_parallel_table_scan_size min_parallel_index_scan_size parallel_setup_cost parallel_tuple_cost cpu_tuple_cost)} =
        (2, 0, 0, 0, 0, pick('0.01', '5')) if chance(8);
    return \%off;
}

# random_query(table, whether it may begin a transaction of its own)
sub random_query {
    my ($table, $may_write) = @_;
    my $index = pick(@{ $table->{indexes} });
    my $shape = random_shape($table, $index);
    my $q = { shape => $shape, fetch => random_fetch($shape, $may_write), quals => [], ops => [], params => [] };
    $q->{fixed} = $index->{where} ? [ $index->{where} ] : [];
    fill_shape($q, $table, $index, $may_write);
    $q->{force} = random_force($shape);
    $q->{force}{plan_cache_mode} = 'force_generic_plan' if $q->{fetch} eq 'prepared';
    my $timed = grep { $_->{type}{name} =~ /date|timestamp/ } @{ $index->{keys} };
    $q->{zone} = pick('America/New_York', 'America/New_York', 'UTC', 'Asia/Kolkata') if chance($timed ? 60 : 5);
    $q->{seed}  = rnd(1 << 30);
    return $q;
}

# --- text -------------------------------------------------------------------------

sub where_clause {
    my (@quals) = @_;
    return @quals ? ' WHERE ' . join(' AND ', @quals) : '';
}

sub probe_source {
    my ($q) = @_;
    return $q->{pairs} if $q->{pairs};
    my $names = $q->{probe_cutoff} ? 'k, x, r' : 'k, x';
    return '(VALUES ' . join(', ', map { '(' . join(', ', @$_) . ')' } @{ $q->{probes} }) . ") v($names)";
}

sub knn_sql {
    my ($q, $limited) = @_;
    my @order = @{ $q->{order} };
    my $sql   = 'SELECT id, ' . join(', ', @{ $q->{shown} }) . ' FROM t';
    $sql .= where_clause(@{ $q->{fixed} }, @{ $q->{quals} }) . ' ORDER BY ' . join(', ', @order);
    return $limited && $q->{limit} ? "$sql LIMIT $q->{limit}" : $sql;
}

# Without the index, with all rows at the distance that the LIMIT cuts.
sub lateral_sql {
    my ($q, $limited) = @_;
    my $where = where_clause(@{ $q->{fixed} }, @{ $q->{quals} }, $q->{probe_cutoff} // ());
    my $limit = $limited ? "LIMIT $q->{limit}" : "FETCH FIRST $q->{limit} ROWS WITH TIES";
    return "SELECT v.k, s.id, s.d FROM " . probe_source($q) . ", LATERAL (SELECT id, $q->{probe_shown} AS d FROM t$where"
        . " ORDER BY $q->{probe_qual} $limit) s";
}

# The table beside rows of its own. In outer, semi and anti joins its conditions are some of the join's.
sub pairs_sql {
    my ($q, $join, @quals) = @_;
    my $from = 'FROM ' . probe_source($q);
    return "SELECT count(*), sum(id), sum(v.k), sum(id::bigint * v.k) $from, t" . where_clause(@quals, $q->{probe_qual}) if $join eq 'inner';
    my $on = join(' AND ', @quals, $q->{probe_qual});
    return "SELECT count(*), count(id), sum(id), sum(v.k), sum(v.k * coalesce(id, 7)::bigint) $from LEFT JOIN t ON $on" if $join eq 'left';
    return "SELECT count(*), sum(v.k) $from WHERE " . ($join eq 'anti' ? 'NOT ' : '') . "EXISTS (SELECT FROM t WHERE $on)";
}

# The statement; $limited is false for the complete answer of a KNN query, with
# which the limited answer of the index is compared.
sub query_sql {
    my ($q, $limited) = @_;
    my @quals = (@{ $q->{fixed} }, @{ $q->{quals} });
    my $shape = $q->{shape};
    return knn_sql($q, $limited) if $shape eq 'knn';
    return lateral_sql($q, $limited) if $shape eq 'lateral';
    return 'SELECT count(*) FROM t' . where_clause(@quals) if $shape eq 'count';
    return pairs_sql($q, $shape eq 'pairs' ? $q->{join} : 'inner', @quals) if $q->{pairs} && $shape =~ /^(?:pairs|join)$/;
    return 'SELECT v.k, id FROM ' . probe_source($q) . ', t' . where_clause(@quals, $q->{probe_qual}) if $shape eq 'join';
    return 'SELECT v.k, count(*), sum(id), sum(id::bigint * id) FROM ' . probe_source($q) . ', t'
        . where_clause(@quals, $q->{probe_qual}) . ' GROUP BY v.k' if $shape eq 'joinsum';
    return 'SELECT id FROM t' . where_clause(@quals, ($shape eq 'anti' ? 'NOT ' : '') . 'EXISTS (SELECT FROM ' . probe_source($q)
            . " WHERE $q->{probe_qual})") if $shape =~ /^(?:semi|anti)$/;
    my $inner = 'FROM t' . where_clause(@quals, $q->{probe_qual} // ());
    return 'SELECT v.k FROM ' . probe_source($q) . " WHERE EXISTS (SELECT $inner)"     if $shape eq 'exists';
    return 'SELECT v.k FROM ' . probe_source($q) . " WHERE NOT EXISTS (SELECT $inner)" if $shape eq 'notin';
    return "DELETE $inner RETURNING id" if $q->{fetch} eq 'write';
    return 'SELECT ' . join(', ', map { "($_)::text" } @{ $q->{columns} }) . " $inner";
}

# The parameters' values put into a text made for PREPARE.
sub with_values {
    my ($q, $sql) = @_;
    $sql =~ s/\$(\d+)/$q->{params}[ $1 - 1 ][1]/g;
    return $sql;
}

# (PREPARE, EXECUTE) for a query whose constants are parameters.
sub prepared_sql {
    my ($q, $sql) = @_;
    return (undef, $sql) unless @{ $q->{params} };
    my $types  = join(', ', map { $_->[0] } @{ $q->{params} });
    my $values = join(', ', map { $_->[1] } @{ $q->{params} });
    return ("PREPARE q($types) AS $sql", "EXECUTE q($values)");
}

1;
