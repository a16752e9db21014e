# Executes a list of steps and says where the index first went wrong.
#
# Used for the run itself and, with errors tolerated, by the shrinker's replays.
# A failure is {at => step number, verdict => as Oracle::Compare returns it}.
# Locks: those of the steps.
package Oracle::Runner;
use strict;
use warnings;
use Oracle::Compare qw(compare failure);
use Oracle::Exclusion qw(attempt);
use Exporter 'import';
our @EXPORT_OK = qw(run_steps run_one check_indexes);

# A statement may fail for one of these without being the index's fault: the
# two sessions of the oracle, both SERIALIZABLE, really do conflict.
my %ALLOWED = map { $_ => 1 } qw(40001 40P01 25P02);

# ANALYZE measures ranges of numeric in double precision, which is an ERROR beyond its range; the keys are not looked at for that.
sub is_of_analyze { my ($step, $state) = @_; return $state eq '22003' && ($step->{sql} // '') =~ /^(VACUUM \([^)]*)?\bANALYZE\b/ }

# Verifies every index of the method in the schema. What a REINDEX CONCURRENTLY left invalid that lost a deadlock answers nothing.
sub check_indexes {
    my ($session, $am) = @_;
    return undef unless $am->{check};
    my $list = $session->query('a', "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_am m ON m.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid"
            . " WHERE i.indisvalid AND m.amname = '$am->{name}' AND c.relkind = 'i' AND (c.relnamespace = '$session->{schema}'::regnamespace"
            . " OR c.relnamespace = pg_my_temp_schema()) ORDER BY 1");
    for my $index (@{ $list->{rows} // [] }) {
        for my $sql (map { sprintf($_, "'$index'") } @{ $am->{check} }) {
            my $result = $session->query('a', $sql);
            return failure("check $result->{state}", $result->{message}, sql => $sql) if $result->{state};
        }
        $session->{shapes}{ $session->query('a', sprintf($am->{describe}, "'$index'"))->{rows}[0] }++ if $am->{describe};
    }
    return undef;
}

# The verdict of one step.
sub run_one {
    my ($session, $am, $step) = @_;
    return compare($session, $step->{probe}, $step->{on}) if $step->{probe};
    return attempt($session, $step->{attempt}) if $step->{attempt};
    if ($step->{check}) {
        return { outcome => 'done' } if $session->{in_transaction}{a} || !$am->{check};
        return check_indexes($session, $am) // { outcome => 'checked' };
    }
    my $result = $session->run_step($step);
    return { outcome => 'done' } if !$result->{state} || $ALLOWED{ $result->{state} } || $am->{tolerated}{ $result->{state} };
    return { outcome => 'done' } if is_of_analyze($step, $result->{state});
    return failure("statement $result->{state}", $result->{message});
}

# run_steps(session, access method, steps, what to call with each step's verdict;
# it returns false to stop early). Returns the first failure or undef.
sub run_steps {
    my ($session, $am, $steps, $each) = @_;
    for my $at (0 .. $#$steps) {
        my $verdict = run_one($session, $am, $steps->[$at]);
        return { at => $at, verdict => $verdict } if $verdict->{outcome} eq 'failed';
        last unless $each->($steps->[$at], $verdict);
    }
    return undef;
}

1;
