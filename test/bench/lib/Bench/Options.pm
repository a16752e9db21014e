# The command line of the benchmark.  Used by bench.pl, passed to every part.
# Holds no connection and measures nothing.
package Bench::Options;
use strict;
use warnings;
use Getopt::Long qw(GetOptionsFromArray);

my @PARTS = qw(build query write paper reports plans joins parallel moving scaling hot larger cold restart pin deferred);
my @LONG  = qw(scaling-long vectors large);    # only when asked for
my %ALIAS = (knn => 'query', window => 'query', range => 'query', insert => 'write', update => 'write');

my $USAGE = <<'TEXT';
usage: perl -Itest/bench/lib test/bench/bench.pl [options]
  --host DIR --port N   server to use (default: start a private one, remove it afterwards)
  --user NAME           role, a superuser (default postgres)
  --scale X             multiplies the row counts (default 1; 0.05 takes about a minute)
  --rounds N            rounds over the peers for latencies and writes (default 7)
  --repeats N           builds per index (default 3)
  --only LIST           of build,query,write,paper,reports,plans,joins,parallel,moving,scaling,hot,larger,cold,restart,pin,deferred; a query class
                        such as knn10 or w100 selects it; knn, window, range select groups of classes;
                        scaling-long (10,000 indexes), vectors (beside pgvector) and large (100 million points,
                        some hours and 30 GB of disk) run only when named
  --datasets LIST       of points,cities,boxes,scalars,cubes,bookings,areas,places (default all), and of vectors:
                        glove,text768,text1536 (default all)
  --peers LIST          of xtree,gist,spgist,kdtree,cube,brin,btree,btrees,btree_gist,seqscan (default all)
  --clock wall|cpu      cpu: time the server process has run, for a machine that is busy (default wall)
  --json FILE           writes every figure as JSON
  --keep                leaves the database xtree_bench behind
TEXT

sub parse {
    my ($class, @argv) = @_;
    my $self = bless {
        port => 5432, user => 'postgres', scale => 1, rounds => 7, repeats => 3, only => '',
        datasets => 'points,cities,boxes,scalars,cubes,bookings,areas,places', peers => '', json => '', host => '', clock => 'wall',
        command => join(' ', 'bench.pl', @argv),
    }, $class;
    GetOptionsFromArray(\@argv, $self,
        qw(host=s port=i user=s scale=f rounds=i repeats=i only=s datasets=s peers=s clock=s json=s keep help))
        or die $USAGE;
    if ($self->{help}) { print $USAGE; exit 0 }
    die "unexpected argument: $argv[0]\n$USAGE" if @argv;
    die "--scale must be above 0 and at most 10\n" unless $self->{scale} > 0 && $self->{scale} <= 10;
    die "--rounds and --repeats must be at least 1\n" if $self->{rounds} < 1 || $self->{repeats} < 1;
    die "--clock is wall or cpu\n" unless $self->{clock} =~ /^(?:wall|cpu)$/;
    $self->_select_parts;
    return $self;
}

# Names of parts select parts; every other name selects query classes (or a group of them).
sub _select_parts {
    my ($self) = @_;
    my @words = split /,/, $self->{only};
    my %part  = map { $_ => 1 } @PARTS, @LONG;
    $self->{part}  = { map { $_ => 1 } @words ? map { $ALIAS{$_} // ($part{$_} ? $_ : 'query') } @words : @PARTS };
    $self->{class} = [ grep { !$part{$_} && ($ALIAS{$_} // 'query') eq 'query' } @words ];
    return;
}

sub wants { my ($self, $part) = @_; return $self->{part}{$part} }

# Is this query class (a key like "knn10" and a group like "knn") selected?
sub wants_class {
    my ($self, $key, $group) = @_;
    return 1 unless @{ $self->{class} };
    return scalar grep { $_ eq $key || $_ eq $group } @{ $self->{class} };
}

sub wants_dataset { my ($self, $key) = @_; return scalar grep { $_ eq $key } split /,/, $self->{datasets} }

# Keeps the peers whose extension can be installed; a peer that was asked for by name must be there.
sub restrict_peers {
    my ($self, $db) = @_;
    my %needs = (xtree => 'xtree', cube => 'cube', btree_gist => 'btree_gist');
    my @all   = qw(xtree gist spgist kdtree cube brin btree btrees btree_gist seqscan);
    my %known = map { $_ => 1 } @all;
    my @asked = split /,/, $self->{peers};
    $known{$_} or die "unknown peer: $_\n" for @asked;
    for my $peer (@asked ? @asked : @all) {
        my $missing = $needs{$peer} && $db->cannot_install($needs{$peer});
        die "peer $peer: $missing\n" if $missing && @asked;
        warn "without peer $peer: $missing\n" if $missing;
        $self->{peer}{$peer} = 1 unless $missing;
    }
    return;
}

sub has_peer { my ($self, $name) = @_; return $self->{peer}{$name} }

# Row counts shrink with --scale, but not below what still makes a tree of two levels.
sub rows {
    my ($self, $full, $least) = @_;
    my $rows = int($full * $self->{scale});
    return $rows < $least ? $least : $rows;
}

1;
