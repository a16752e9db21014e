# Memory and file descriptors of the servers' processes over time, from /proc. What a process has in the last quarter of its life must not be much more than what
# it had in the second one; the first is its warming up. Processes of the primary live from one kill to the next, those of the standby longer.
package Soak::Watch;
use strict;
use warnings;
use List::Util qw(max);

my $MOST_GROWTH = 6 * 1024;    # kB of anonymous memory, of one process
my $MOST_FILES  = 40;
my $MOST_OTHERS = 300;    # of the server's own processes, which keep files of dropped relations open until a checkpoint

sub _first_line { my ($file) = @_; open my $in, '<', $file or return; my $line = <$in>; chomp $line if defined $line; return $line; }

sub postmaster { my ($dir) = @_; return _first_line("$dir/data/postmaster.pid") // 0; }

sub children {
    my ($parent) = @_;
    return grep { _parent($_) == $parent } map { m{^/proc/(\d+)$} } glob '/proc/[0-9]*';
}

sub _parent {
    my ($pid) = @_;
    return (_first_line("/proc/$pid/stat") // '') =~ /^\d+ \(.*\) \S (\d+)/ ? $1 : 0;
}

# "client", "checkpointer", "startup" ...
sub _kind {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/cmdline" or return;
    my $title = <$in> // return;
    $title =~ s/\0.*//s;
    return 'postmaster' if $title =~ m{bin/postgres};
    $title =~ s/^postgres: //;
    return 'client' if $title =~ /\[local\]/;
    return $1 if $title =~ /^(walsender|walreceiver|startup)/;
    return $title =~ /^([a-z ]+[a-z])/ ? $1 : $title;
}

sub clients { my ($postmaster) = @_; return grep { (_kind($_) // '') eq 'client' } children($postmaster); }

sub _memory {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/status" or return;
    my %of = map { /^(\w+):\s+(\d+) kB/ ? ($1 => $2) : () } <$in>;
    return @of{qw(VmRSS RssAnon)};
}

sub _files { my ($pid) = @_; opendir my $dir, "/proc/$pid/fd" or return; return scalar(grep { !/^\./ } readdir $dir); }

sub new { my ($class, $work) = @_; return bless { work => $work, of => {} }, $class; }

sub heading { return sprintf '%8s %8s %8s   %s', 'rows', 't_p, MB', 't_pk, MB', 'process: resident MB / own MB / files (the most of its kind)'; }

sub look {
    my ($self, $db) = @_;
    my %now;
    for my $server (qw(primary standby)) {
        my $postmaster = postmaster("$self->{work}/$server");
        for my $pid ($postmaster, children($postmaster)) {
            my $kind = _kind($pid) // next;
            my ($resident, $own) = _memory($pid);
            my $files = _files($pid);
            next if !defined $own || !defined $files;
            push @{ $self->{of}{"$server $kind"}{$pid} }, [ $own, $files ];
            my $most = $now{"$server $kind"} //= [ 0, 0, 0 ];
            @$most = (max($most->[0], $resident), max($most->[1], $own), max($most->[2], $files));
        }
    }
    my @sizes = eval { $db->selectrow_array(q{SELECT count(*), pg_relation_size('t_p') / 1048576.0, pg_relation_size('t_pk') / 1048576.0 FROM t}) };
    my @shown = grep { /client|worker|xtree|checkpointer|startup/ } sort keys %now;
    return sprintf '%8d %8.1f %8.1f   %s', (map { $_ // 0 } @sizes[ 0 .. 2 ]), join '; ', map { sprintf '%s %.0f/%.0f/%d', $_, $now{$_}[0] / 1024, $now{$_}[1] / 1024, $now{$_}[2] } @shown;
}

sub _median { my @sorted = sort { $a <=> $b } @_; return $sorted[ @sorted / 2 ]; }

# Problems.
sub growth {
    my ($self) = @_;
    my @problems;
    for my $kind (sort keys %{ $self->{of} }) {
        for my $samples (values %{ $self->{of}{$kind} }) {
            next if @$samples < 8;
            my $quarter = int(@$samples / 4);
            my @early   = @$samples[ $quarter .. 2 * $quarter - 1 ];
            my @late    = @$samples[ -$quarter .. -1 ];
            my ($own, $files) = map { my $i = $_; _median(map { $_->[$i] } @late) - _median(map { $_->[$i] } @early) } 0, 1;
            push @problems, "$kind: $own kB more after a while" if $own > $MOST_GROWTH;
            my $most = $kind =~ /client|xtree/ ? $MOST_FILES : $MOST_OTHERS;
            push @problems, "$kind: $files more file descriptors after a while" if $files > $most;
        }
    }
    return @problems;
}

1;
