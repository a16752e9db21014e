# Makes a failing list of steps as short as it can in the time given.
#
# Delta debugging over four levels, repeated while something gets smaller: steps
# (those of one transaction's frame together), rows of a load, conditions and
# probes of the query, and its planner settings. A candidate counts if its last
# step fails in the same way; errors before it are tolerated.
# Locks: each replay recreates the worker's own schema.
package Oracle::Shrink;
use strict;
use warnings;
use Time::HiRes qw(time);
use Oracle::Runner qw(run_one);
use Exporter 'import';
our @EXPORT_OK = qw(shrink);

# shrink(session, access method, steps, failure, seconds): (steps, last verdict).
sub shrink {
    my ($session, $am, $steps, $failure, $seconds) = @_;
    my $self = bless { session => $session, am => $am, kind => $failure->{verdict}{kind}, verdict => $failure->{verdict},
        deadline => time + $seconds }, __PACKAGE__;
    my @best = @$steps[ 0 .. $failure->{at} ];
    return (\@best, $failure->{verdict}, 0) unless $self->fails(\@best);
    my $last  = pop @best;
    my @quiet = grep { !$_->{probe} && !$_->{check} } @best;
    @best = @quiet if $self->fails([ @quiet, $last ]);
    for (my $size = -1; $size != weight(\@best, $last) && !$self->late;) {
        $size = weight(\@best, $last);
        @best = $self->fewer_steps(\@best, $last);
        @best = $self->fewer_rows(\@best, $last);
        $last = $self->simpler_query(\@best, $last) if $last->{probe};
    }
    return ([ @best, $last ], $self->{verdict}, 1);
}

sub late { my ($self) = @_; return time > $self->{deadline} }

sub weight {
    my ($steps, $last) = @_;
    my $weight = 0;
    $weight += 1 + @{ $_->{rows} // [] } for @$steps;
    my $q = $last->{probe};
    $weight += @{ $q->{quals} } + @{ $q->{probes} // [] } if $q;
    return $weight;
}

# Replays a candidate from nothing.
sub fails {
    my ($self, $steps) = @_;
    return 0 if $self->late;
    my $session = $self->{session};
    $session->reset_schema;
    my $verdict;
    $verdict = run_one($session, $self->{am}, $_) for @$steps;
    return 0 if !$verdict || $verdict->{outcome} ne 'failed' || $verdict->{kind} ne $self->{kind};
    $self->{verdict} = $verdict;
    return 1;
}

# The classic: drop ever smaller pieces of the list while $holds stays true.
sub reduced {
    my ($self, $items, $holds) = @_;
    my @items = @$items;
    my $piece = int((@items + 1) / 2);
    while ($piece >= 1 && @items && !$self->late) {
        my $dropped = 0;
        for (my $from = 0; $from < @items;) {
            my @rest = @items;
            splice(@rest, $from, $piece);
            if   ($holds->(\@rest)) { @items = @rest; $dropped = 1 }
            else                    { $from += $piece }
        }
        last if $piece == 1 && !$dropped;
        $piece = $piece == 1 ? 1 : int($piece / 2);
    }
    return @items;
}

# A frame (BEGIN and COMMIT, ...) is one unit, its content separate units.
sub units {
    my ($steps) = @_;
    my (@units, %frame);
    for my $at (0 .. $#$steps) {
        my $group = $steps->[$at]{group};
        if    (!$group)         { push @units, [$at] }
        elsif ($frame{$group})  { push @{ $frame{$group} }, $at }
        else                    { push @units, $frame{$group} = [$at] }
    }
    return @units;
}

sub fewer_steps {
    my ($self, $steps, $last) = @_;
    my $chosen = sub { return map { $steps->[$_] } sort { $a <=> $b } map { @$_ } @{ $_[0] } };
    my @units = $self->reduced([ units($steps) ], sub { return $self->fails([ $chosen->($_[0]), $last ]) });
    return $chosen->(\@units);
}

sub fewer_rows {
    my ($self, $steps, $last) = @_;
    my @steps = @$steps;
    for my $at (grep { $steps[$_]{rows} } 0 .. $#steps) {
        my $with = sub {
            my @copy = @steps;
            $copy[$at] = { %{ $steps[$at] }, rows => $_[0] };
            return @copy;
        };
        my @rows = $self->reduced($steps[$at]{rows}, sub { return $self->fails([ $with->($_[0]), $last ]) });
        @steps = $with->(\@rows);
    }
    return @steps;
}

# Each candidate changes one member of the query.
sub simpler_query {
    my ($self, $steps, $last) = @_;
    my $try = sub {
        my ($member, $value) = @_;
        my $candidate = { %$last, probe => { %{ $last->{probe} }, $member => $value } };
        return 0 unless $self->fails([ @$steps, $candidate ]);
        $last = $candidate;
        return 1;
    };
    for my $member (grep { $last->{probe}{$_} } qw(quals before writes)) {
        $self->reduced($last->{probe}{$member}, sub { return $try->($member, $_[0]) });
    }
    $self->reduced($last->{probe}{probes}, sub { return @{ $_[0] } && $try->('probes', $_[0]) }) if $last->{probe}{probes};
    $try->('fetch', 'plain') if $last->{probe}{fetch} =~ /scroll|dml|vacuum|write/;
    $try->('probe_cutoff', undef) if $last->{probe}{probe_cutoff};
    $try->('zone',  undef)   if $last->{probe}{zone};
    for my $name (sort keys %{ $last->{probe}{force} }) {
        my %force = %{ $last->{probe}{force} };
        delete $force{$name};
        $try->('force', \%force);
    }
    return $last;
}

1;
