# Counts what was compared, and writes failures down as SQL.
#
# The statistics say whether the run could have failed at all: how many forced
# plans read the index, how many answers had rows, and which operator of which
# type has been served by an index condition how often.
# Client side only: talks to no server, takes no lock.
package Oracle::Report;
use strict;
use warnings;
use Oracle::Compare qw(settings_sql);
use Oracle::Query qw(query_sql with_values);
use Oracle::Session;
use Oracle::Types qw(is_call);

sub new { return bless { count => {}, operator => {} }, shift }

sub add { my ($self, $name, $n) = @_; $self->{count}{$name} += $n // 1; return }

sub count { my ($self, $name) = @_; return $self->{count}{$name} // 0 }

# Takes over the counts of a finished child or table.
sub merge {
    my ($self, $other) = @_;
    $self->{count}{$_} += $other->{count}{$_} for keys %{ $other->{count} };
    for my $key (keys %{ $other->{operator} }) {
        $self->{operator}{$key}{$_} += $other->{operator}{$key}{$_} for keys %{ $other->{operator}{$key} };
    }
    return;
}

# The conditions that the plan hands to an index.
sub index_conditions { my ($plan) = @_; return join("\n", $plan =~ /(?:Index Cond|Order By): (.*)/g) }

# Notes one attempt against an exclusion constraint.
sub note_attempt {
    my ($self, $verdict) = @_;
    $self->add("outcome $verdict->{outcome}");
    $self->add('attempts');
    return;
}

# Notes one comparison and its verdict.
sub note {
    my ($self, $q, $verdict) = @_;
    $self->add("outcome $verdict->{outcome}");
    $self->add('excused') if $verdict->{excused};
    $self->add('used') if $verdict->{used};
    $self->add('not empty') if $verdict->{count};
    $self->add("shape $q->{shape}");
    $self->add("fetch $q->{fetch}");
    for my $node ('Bitmap Index Scan', 'Index Scan', 'Index Only Scan') {
        $self->add("node $node") if $verdict->{plan} =~ /(?:^|->  |\s)$node (?:using|on)/m;
    }
    $self->add('node XtreeJoin' . ($1 ? " ($1)" : '')) if $verdict->{plan} =~ /XtreeJoin\)(?:\s+Join Type: (\w+))?/;
    $self->add('node XtreeLookupJoin' . ($1 ? " ($1)" : '')) if $verdict->{plan} =~ /XtreeLookupJoin\)(?:\s+Join Type: (\w+))?/;
    $self->add('node Order By') if $verdict->{plan} =~ /Order By:/;
    my $conditions = index_conditions($verdict->{plan});
    my %seen;
    for my $op (grep { !$seen{"@$_"}++ } @{ $q->{ops} }) {
        my $entry = $self->{operator}{"@$op"} //= {};
        my $name  = $op->[1];
        $entry->{runs}++;
        $entry->{used}++ if $name eq 'IS NULL' ? $conditions =~ /IS (NOT )?NULL/ : is_call($name) ? $conditions =~ / [&~@=]+ /
            : index($conditions, " $name ") >= 0;
        $entry->{rows}++ if $verdict->{count};
    }
    return;
}

sub passed { my ($self) = @_; return $self->count('outcome agreed') + $self->count('checks') }

sub compared {
    my ($self) = @_;
    my $compared = -$self->count('attempts');
    $compared += $self->count("outcome $_") for qw(agreed skipped failed);
    return $compared;
}

sub percent {
    my ($self, $name) = @_;
    return $self->compared ? 100 * $self->count($name) / $self->compared : 0;
}

sub summary {
    my ($self) = @_;
    my @lines = sprintf('%d tables (%d with concurrent writers), %d statements, %d index checks, %d comparisons,'
        . ' %d rows against exclusion constraints',
        (map { $self->count($_) } 'tables', 'concurrent tables', 'statements', 'checks'), $self->compared, $self->count('attempts'));
    push @lines, sprintf('%.1f %% read the index, %.1f %% had rows, %d could not decide (error without the index),'
        . ' %d of them by the executor before other conditions', $self->percent('used'), $self->percent('not empty'),
        $self->count('outcome skipped'), $self->count('excused'));
    push @lines, sprintf('%d pages of indexes, %d through mappings', map { $self->count($_) } 'pages read', 'pages mapped') if $self->count('pages read');
    for my $group (qw(index node shape fetch)) {
        my @names = grep { /^$group / } sort keys %{ $self->{count} };
        next unless @names;
        push @lines, "$group: " . join(', ', map { my $n = $_; (my $s = $n) =~ s/^$group //; "$s $self->{count}{$n}" } @names);
    }
    return join("\n", @lines) . "\n";
}

# One line per type and operator: runs / in an index condition / with rows.
sub operator_table {
    my ($self) = @_;
    my $text = sprintf("%-60s %8s %8s %8s\n", 'operator', 'runs', 'by index', 'rows');
    for my $key (sort keys %{ $self->{operator} }) {
        $text .= sprintf("%-60s %8d %8d %8d\n", $key, map { $self->{operator}{$key}{$_} // 0 } qw(runs used rows));
    }
    return $text;
}

# Operators that ran often and never reached an index.
sub unreached {
    my ($self, $least) = @_;
    return grep { $self->{operator}{$_}{runs} >= $least && !$self->{operator}{$_}{used} } sort keys %{ $self->{operator} };
}

# --- failures -----------------------------------------------------------------------

sub comparison_text {
    my ($step, $verdict) = @_;
    my $q    = $step->{probe};
    my $note = $step->{on} ? "-- in session $step->{on}:\n" : '';
    my $text = join('', map { Oracle::Session::step_text($_) } @{ $q->{before} // [] });
    $text .= "$note-- the truth, without the index:\n"
        . "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;\n"
        . with_values($q, query_sql($q, 0)) . ";\n"
        . "RESET enable_indexscan; RESET enable_indexonlyscan; RESET enable_bitmapscan;\n-- with it (fetch: $q->{fetch}):\n";
    $text .= "SET timezone = '$q->{zone}';\n" if $q->{zone};
    $text .= join('', map { "SET $_ = $q->{force}{$_};\n" } sort keys %{ $q->{force} });
    $text .= ($verdict->{sql} // query_sql($q, 1)) . ";\n";
    return $text unless @{ $q->{writes} // [] };
    return $text . "-- while a cursor for it is open (BEGIN; DECLARE; FETCH ...; then the rest after these):\n"
        . join('', map { Oracle::Session::step_text($_) } @{ $q->{writes} });
}

sub steps_text {
    my ($steps, $verdict) = @_;
    my $text = '';
    for my $step (@$steps) {
        if ($step->{attempt}) { $text .= "-- conflicts: $step->{attempt}{conflict};\n$step->{attempt}{sql};\n"; next }
        if    ($step->{probe}) { $text .= comparison_text($step, $step == $steps->[-1] ? $verdict : {}) }
        elsif ($step->{check}) { $text .= '-- ' . ($verdict->{sql} // 'the check') . "\n" }
        else                   { $text .= Oracle::Session::step_text($step) }
    }
    return $text;
}

sub verdict_text {
    my ($verdict) = @_;
    my $text = "difference: $verdict->{kind}: $verdict->{text}\n";
    for my $side (qw(missing extra)) {
        my @rows = @{ $verdict->{$side} };
        my @some = @rows > 10 ? @rows[ 0 .. 9 ] : @rows;
        $text .= "$side (" . scalar(@rows) . '): ' . join('; ', @some) . "\n" if @rows;
    }
    $text .= "plan:\n$verdict->{plan}\n" if $verdict->{plan};
    return $text;
}

sub write_file {
    my ($path, $text) = @_;
    open(my $out, '>', $path) or die "cannot write $path: $!\n";
    print {$out} $text;
    close($out) or die "cannot write $path: $!\n";
    return;
}

1;
