# Random conditions on the keys of an index, as SQL text.
#
# Constants lie on, beside and between the data; operators come with every
# argument type that they have, turned round, in arrays, between two constants,
# as NULL tests, and behind conditions that leave no row for them.
# Client side only: talks to no server, takes no lock.
package Oracle::Condition;
use strict;
use warnings;
use Oracle::Geometry qw(risky_arg);
use Oracle::Random;
use Oracle::Types qw(commuted is_call);
use Exporter 'import';
our @EXPORT_OK = qw(argument placed constant random_operator condition comparison atom filter guarded);

# --- constants ------------------------------------------------------------------

# A value of the argument type, or NULL, as SQL.
sub argument {
    my ($key, $argtype, $nulls) = @_;
    my $risky = $key->{column}{risky} && chance(25) ? risky_arg($argtype) : undef;
    return $risky if $risky;
    return chance($nulls) ? "NULL::$argtype" : $key->{type}{arg}->($key->{column}, $argtype);
}

# It in one of the forms that reach the index differently: literal, parameter of
# a generic plan, run-time key.
sub placed {
    my ($q, $argtype, $text) = @_;
    if ($q->{fetch} eq 'prepared') {
        push @{ $q->{params} }, [ $argtype, $text ];
        return '$' . scalar @{ $q->{params} };
    }
    return chance(12) || $text =~ /^NULL/ ? "(SELECT $text)" : $text;
}

sub constant {
    my ($q, $key, $argtype) = @_;
    return placed($q, $argtype, argument($key, $argtype, 2));
}

sub random_operator {
    my ($q, $key) = @_;
    my $ops     = $key->{type}{ops};
    my $argtype = pick(sort keys %$ops);
    $argtype = $key->{type}{name} if $ops->{ $key->{type}{name} } && chance(40);
    my $op = pick(@{ $ops->{$argtype} });
    push @{ $q->{ops} }, [ $key->{type}{name}, $op, $argtype ];
    return ($op, $argtype);
}

# --- conditions -----------------------------------------------------------------

# "column operator argument", or a call with both.
sub condition {
    my ($key, $op, $argument) = @_;
    return is_call($op) ? sprintf($op, $key->{sql}, $argument) : "$key->{sql} $op $argument";
}

sub comparison {
    my ($q, $key) = @_;
    my ($op, $argtype) = random_operator($q, $key);
    my $constant = constant($q, $key, $argtype);
    my $turned   = $key->{type}{one_sided}{$op} ? undef : commuted($op);
    return "$constant $turned $key->{sql}" if $turned && chance(15);
    return condition($key, $op, $constant);
}

sub between {
    my ($q, $key) = @_;
    my $type = $key->{type};
    return comparison($q, $key) unless $type->{ordered};
    my $argtype = pick($type->{name}, sort keys %{ $type->{ops} });
    push @{ $q->{ops} }, map { [ $type->{name}, $_, $argtype ] } '>=', '<=';
    my $symmetric = chance(50) ? 'SYMMETRIC ' : '';
    return "$key->{sql} BETWEEN $symmetric" . constant($q, $key, $argtype) . ' AND ' . constant($q, $key, $argtype);
}

sub any_of {
    my ($q, $key) = @_;
    my ($op, $argtype) = random_operator($q, $key);
    my @members = map { argument($key, $argtype, 6) } 1 .. pick(0, 1, 2, 5, 20);
    return '(' . (join(' OR ', map { condition($key, $op, $_) } @members) || 'false') . ')' if is_call($op);
    my $array = 'ARRAY[' . join(', ', @members) . "]::$argtype\[]";
    $array = "(SELECT $array)::$argtype\[]" if chance(20);
    return "$key->{sql} $op ANY ($array)";
}

sub null_test {
    my ($q, $key) = @_;
    push @{ $q->{ops} }, [ $key->{type}{name}, 'IS NULL', '' ];
    return "($key->{sql}) IS " . pick('NULL', 'NOT NULL', 'NOT NULL');
}

sub atom {
    my ($q, $key) = @_;
    my $kind = pick_weighted(comparison => 70, between => 10, any => 8, null => 8, either => 6);
    return comparison($q, $key)                                             if $kind eq 'comparison';
    return between($q, $key)                                                if $kind eq 'between';
    return any_of($q, $key)                                                 if $kind eq 'any';
    return null_test($q, $key)                                              if $kind eq 'null';
    return '(' . comparison($q, $key) . ' OR ' . comparison($q, $key) . ')';
}

# Conditions that no index serves, tested after it.
sub filter {
    my ($q, $table, $index) = @_;
    my $n = $table->{next_id};
    return 'NOT (' . comparison($q, pick(@{ $index->{keys} })) . ')' if chance(25);
    return pick('id % 2 = 0', 'id < ' . rnd($n), 'id BETWEEN ' . rnd($n) . ' AND ' . rnd($n), "pad = ''");
}

# --- conditions that are never reached ------------------------------------------

# No row satisfies it, or few do; a scan tests it first.
sub guard {
    my ($q, $table, $index, $key) = @_;
    my $other = pick(@{ $index->{keys} });
    return pick('false', "($key->{sql}) IS NULL", "($other->{sql}) IS NULL", comparison($q, $other), 'id < 0', 'id = ' . rnd($table->{next_id}));
}

# A guard, and a condition with an argument whose evaluation may overflow.
sub guarded {
    my ($q, $table, $index) = @_;
    my $key  = pick(@{ $index->{keys} });
    my $test = guard($q, $table, $index, $key);
    my ($op, $argtype) = random_operator($q, $key);
    my $risk = condition($key, $op, placed($q, $argtype, risky_arg($argtype) // argument($key, $argtype, 0)));
    return chance(20) ? "CASE WHEN $test THEN $risk ELSE false END" : ($test, $risk);
}

1;
