# One random table: columns with their data generators, and its indexes.
#
# Table "t" has id (unique, never indexed alone), c1..cN, pad (not a key, so
# that updates can be HOT) and j0, a column that may be dropped later.
# Everything is plain data; the statements that create it are returned as steps.
# Client side only: talks to no server, takes no lock.
package Oracle::Schema;
use strict;
use warnings;
use Oracle::Random;
use Oracle::Types qw(type_record);
use Exporter 'import';
our @EXPORT_OK = qw(random_table table_steps create_index fresh_kind load_step next_value plain_column);

# The generators of a type that do not provoke a masked deviation.
sub allowed_kinds {
    my ($type, $masked, $risky) = @_;
    my @risky = $risky ? grep { /^(?:nasty|infinite|huge|notanumber)$/ } sort keys %{ $type->{kinds} } : ();
    return @risky if @risky && chance(70);
    return grep { my $flag = $type->{kinds}{$_}[1]; !($flag && $masked->{$flag}) } sort keys %{ $type->{kinds} };
}

# Gives a column another data generator from now on: of a kind, or of one value that most rows have.
sub fresh_kind {
    my ($column) = @_;
    $column->{kind} = pick(allowed_kinds($column->{type}, $column->{masked}, $column->{risky}));
    $column->{next} = $column->{type}{kinds}{ $column->{kind} }[0]->();
    return unless chance(15);
    my ($next, $share) = ($column->{next}, pick(50, 90, 99, 100));
    my $common = $next->();
    $column->{next} = sub { chance($share) ? $common : $next->() };
    return;
}

sub random_column {
    my ($name, $type, $masked, $risky) = @_;
    my $column = {
        name => $name, type => $type, masked => $masked, risky => $risky, pool => [], seen => 0,
        null_percent => pick(0, 0, 0, 2, 10, 50, chance(10) ? 100 : 0),
    };
    fresh_kind($column);
    return $column;
}

# A column for a constraint: NULLs are rare, because they conflict with nothing.
sub plain_column {
    my $column = random_column(@_);
    $column->{null_percent} = pick(0, 0, 10);
    return $column;
}

# A value for a new row; some of them stay in the pool for query arguments.
sub next_value {
    my ($column) = @_;
    return undef if chance($column->{null_percent});
    my $value = $column->{next}->();
    $value =~ s/-0(?![.\d])/0/g if $column->{masked}{negzero};
    my $pool  = $column->{pool};
    $column->{seen}++;
    if    (@$pool < 150)                    { push @$pool, $value }
    elsif (rand($column->{seen}) < 150)     { $pool->[ rnd(150) ] = $value }
    return $value;
}

# Text that compression cannot shorten: pieces of one random string.
my $noise;

sub noise {
    my ($length) = @_;
    $noise //= do {
        my $state = 1;
        join('', map { $state = ($state * 1103515245 + 12345) & 0x7fffffff; chr(97 + ($state >> 16) % 26) } 1 .. 9000);
    };
    return $length ? substr($noise, rnd(9000 - $length), $length) : '';
}

# $n rows [id, c1..cN, pad].
sub new_rows {
    my ($table, $n) = @_;
    my @rows;
    for (1 .. $n) {
        push @rows, [ $table->{next_id}++, (map { next_value($_) } @{ $table->{columns} }), noise(pick(@{ $table->{pads} })) ];
    }
    return \@rows;
}

# What an index stores under one of its columns.
sub plain_key { my ($column) = @_; return { sql => $column->{name}, type => $column->{type}, column => $column } }

sub expression_key {
    my ($column, $types) = @_;
    my @fit = grep { $types->{ $_->[1] } } @{ $column->{type}{exprs} };
    return plain_key($column) unless @fit;
    my ($template, $type) = @{ pick(@fit) };
    (my $sql = $template) =~ s/%s/$column->{name}/g;
    return { sql => $sql, type => type_record($type), column => $column };
}

sub random_predicate {
    my ($table) = @_;
    my $name = pick(@{ $table->{columns} })->{name};
    return pick("id % 3 = 0", "$name IS NOT NULL", "id > 100", "pad <> ''");
}

sub random_options {
    my ($am) = @_;
    my %options;
    for my $name (sort keys %{ $am->{options} }) {
        $options{$name} = pick(@{ $am->{options}{$name} }) if chance(45);
    }
    return \%options;
}

sub with_options {
    my ($options) = @_;
    return join(', ', map { "$_ = $options->{$_}" } sort keys %$options);
}

sub random_index {
    my ($table, $number) = @_;
    my $am = $table->{am};
    my @columns = $number == 1 && chance(70) ? shuffled(@{ $table->{columns} })
        : sample(irange(1, scalar @{ $table->{columns} }), @{ $table->{columns} });
    @columns = ($columns[0]) unless $am->{multi};
    my $many = 0;
    @columns = grep { !$_->{type}{many} || !$many++ } @columns;
    my $index = { name => "i$number", options => random_options($am), include => [] };
    $index->{keys}  = [ map { chance(12) ? expression_key($_, $table->{types}) : plain_key($_) } @columns ];
    $index->{where} = random_predicate($table) if chance(12);
    $index->{include} = pick([], ['id'], ['id'], [ 'id', 'pad' ], ['pad']) if $am->{include};
    push @{ $index->{include} }, 'pad' if $table->{deep} && $am->{include} && !grep { $_ eq 'pad' } @{ $index->{include} };
    return $index;
}

# "risky" tables hold numbers for which functions overflow, mostly of the plane's types, and are asked with such numbers.
# "deep" tables have many columns and large INCLUDE payloads: few entries to a
# page, so high trees (and supernodes) from few rows.
#
# random_table(access method record, type records by name, masked flags, size limit)
sub random_table {
    my ($am, $types, $masked, $max_rows) = @_;
    my @names = sort keys %$types;
    my $risky = !%$masked && chance(8);
    my @plane = grep { /^(?:point|box|circle|polygon|float8|cube)$/ } @names;
    @names = @plane if $risky && @plane;
    my $table = { am => $am, types => $types, next_id => 1, groups => 0, dropped => 0, deep => chance(25), risky => $risky };
    $table->{kind} = pick_weighted(plain => 80, unlogged => 6, temporary => 6, partitioned => 8);
    my $columns = $table->{deep} ? irange(3, 8) : irange(1, 4);
    $table->{columns} = [ map { random_column("c$_", $types->{ pick(@names) }, $masked, $risky) } 1 .. $columns ];
    $table->{pads} = $table->{deep} ? [ 300, 1500 ] : pick([0], [ 0, 10 ], [ 0, 100 ], [ 10, 600 ]);
    $table->{fillfactor} = pick(100, 100, 70, 30);
    $table->{workers} = pick(0, 0, 0, 1, 2);    # of its builds
    my @sizes = grep { $_ <= $max_rows } (0, 1, 20, 300, 300, 1500, 1500, 5000, 5000, 15000, 60000);
    @sizes = grep { $_ >= 300 && $_ <= 5000 } @sizes if $table->{deep};
    $table->{initial} = irange(1, 1 + pick(@sizes)) - 1;
    $table->{indexes} = [ random_index($table, 1), chance(25) ? random_index($table, 2) : () ];
    return $table;
}

# One key as CREATE INDEX wants it: parentheses around an expression, then the
# operator class if the caller asked for one that is not the type's default.
sub key_definition {
    my ($table, $key) = @_;
    my $sql   = $key->{sql} eq $key->{column}{name} ? $key->{sql} : "($key->{sql})";
    my $class = $table->{opclass}{ $key->{type}{name} } // $key->{type}{opclass};
    $class = pick(@$class) if ref $class;
    return $class ? "$sql $class" : $sql;
}

sub create_index {
    my ($table, $index, $concurrently) = @_;
    my $sql = 'CREATE INDEX ' . ($concurrently ? 'CONCURRENTLY ' : '') . "$index->{name} ON t USING $table->{am}{name}";
    $sql .= ' (' . join(', ', map { key_definition($table, $_) } @{ $index->{keys} }) . ')';
    $sql .= ' INCLUDE (' . join(', ', @{ $index->{include} }) . ')' if @{ $index->{include} };
    $sql .= ' WITH (' . with_options($index->{options}) . ')' if %{ $index->{options} };
    $sql .= " WHERE $index->{where}" if $index->{where};
    return { sql => $sql };
}

sub create_table {
    my ($table) = @_;
    my @columns = map { "$_->{name} $_->{type}{name}" } @{ $table->{columns} };
    my $kind    = $table->{kind};
    my $prefix  = $kind eq 'unlogged' ? 'UNLOGGED ' : $kind eq 'temporary' ? 'TEMPORARY ' : '';
    my $sql     = "CREATE ${prefix}TABLE t (id int NOT NULL, j0 int DEFAULT 7, " . join(', ', @columns, 'pad text') . ')';
    my $with    = " WITH (autovacuum_enabled = off, fillfactor = $table->{fillfactor}, parallel_workers = $table->{workers})";
    return { sql => $sql . $with } if $kind ne 'partitioned';
    return (
        { sql => "$sql PARTITION BY HASH (id)" },
        map { { sql => "CREATE TABLE t_$_ PARTITION OF t FOR VALUES WITH (MODULUS 3, REMAINDER $_)$with" } } 0 .. 2
    );
}

sub load_step {
    my ($table, $n, $how) = @_;
    return { rows => new_rows($table, $n), how => $how // pick('insert', 'copy'),
        columns => [ 'id', (map { $_->{name} } @{ $table->{columns} }), 'pad' ] };
}

sub index_steps {
    my ($table) = @_;
    my $concurrently = $table->{kind} ne 'partitioned' && chance(15);
    return map { create_index($table, $_, $concurrently) } @{ $table->{indexes} };
}

# Builds that do not fit into memory, and builds with parallel workers.
sub memory_step {
    return unless chance(25);
    return { sql => "SET maintenance_work_mem = '" . pick('1MB', '2MB') . "'" } if chance(60);
    return { sql => 'SET min_parallel_table_scan_size = 0' };
}

# Creates and loads the table, with the indexes before or after the rows.
sub table_steps {
    my ($table) = @_;
    my @steps = (memory_step(), create_table($table));
    my $first = chance(45);
    push @steps, index_steps($table) if $first;
    my $left = $table->{initial};
    while ($left > 0) {
        my $n = chance(60) ? $left : irange(1, $left);
        push @steps, load_step($table, $n);
        $left -= $n;
        if (chance(40)) { fresh_kind($_) for @{ $table->{columns} } }
    }
    push @steps, index_steps($table) unless $first;
    push @steps, { sql => 'ANALYZE t' } if chance(60);
    push @steps, { sql => 'VACUUM t' }  if chance(45);
    return @steps;
}

1;
