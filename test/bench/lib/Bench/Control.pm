# What the parts about memory need beyond SQL: to restart the server, change its settings, look at its processes,
# know which bytes of a file are in memory, drop them, and limit the memory of the server's processes.  Linux, on
# the machine of the server, as root or as the server's account.  What cannot be had is said by why_not_*, and
# the part is skipped visibly.  Everything is put back by `undo`, which also runs when the part dies.
package Bench::Control;
use strict;
use warnings;
use File::Basename qw(dirname);

# Numbers of system calls that perl has no function for.
my %SYSCALL = (
    x86_64  => { mmap => 9,   munmap => 11,  mincore => 27 },
    aarch64 => { mmap => 222, munmap => 215, mincore => 232 },
);
my ($PROT_READ, $MAP_SHARED) = (1, 1);
my $PAGE = 4096;

sub new {
    my ($class, $db) = @_;
    my $self = bless { db => $db, data => $db->value('SHOW data_directory'), undo => [], owner => $$ }, $class;
    chomp(my $machine = `uname -m`);
    $self->{syscall} = $SYSCALL{$machine};
    $self->{uid} = (stat $self->{data})[4];
    $self->{why} = !defined $self->{uid} ? "the data directory $self->{data} is not on this machine or not readable"
        : $> != 0 && $> != $self->{uid} ? 'needs root or the account of the server'
        : !-r '/proc/self/smaps_rollup' ? 'needs /proc of Linux'
        : $self->{syscall} ? undef : "mincore() is not known for $machine";
    return $self;
}

# undef: the server's processes, files and settings are within reach.
sub why_not { my ($self) = @_; return $self->{why} }

sub why_not_preloaded {
    my ($self) = @_;
    return if $self->{db}->value("SELECT 'xtree' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','))");
    return 'xtree is not in shared_preload_libraries';
}

sub postmaster {
    my ($self) = @_;
    open my $in, '<', "$self->{data}/postmaster.pid" or die "postmaster.pid: $!\n";
    chomp(my $pid = <$in>);
    return $pid;
}

sub processes {
    my ($self) = @_;
    my $postmaster = $self->postmaster;
    open my $in, '<', "/proc/$postmaster/task/$postmaster/children" or die "children of the server: $!\n";
    return ($postmaster, split ' ', <$in> // '');
}

# Fast shutdown and start: shared buffers are empty afterwards, and the sessions gone; the main one is opened again. `between` runs while it is down.
sub restart {
    my ($self, $between) = @_;
    my $pid  = $self->postmaster;
    my $bin  = dirname(readlink "/proc/$pid/exe" // die "/proc/$pid/exe: $!\n");
    my $name = getpwuid $self->{uid};
    my $as   = $> == 0 ? "runuser -u $name --" : '';
    my $ctl  = sub { system(qq(cd / && $as "$bin/pg_ctl" -D "$self->{data}" -m fast -w -s $_[0])) == 0 or die "the server did not $_[0]\n" };
    $ctl->('stop');
    $between->() if $between;
    $ctl->(qq(-l "$self->{data}/../restart.log" start));
    $self->{db}->reconnect;
    return;
}

# Settings until undo; those that need it take effect with the next restart.
sub set {
    my ($self, %value) = @_;
    for my $name (sort keys %value) {
        $self->{db}->do("ALTER SYSTEM SET $name = '$value{$name}'");
        $self->later(sub { $self->{db}->do("ALTER SYSTEM RESET $name"); $self->{db}->do('SELECT pg_reload_conf()') });
    }
    $self->{db}->do('SELECT pg_reload_conf()');
    return;
}

sub later { my ($self, $undo) = @_; push @{ $self->{undo} }, $undo; return }

sub undo {
    my ($self) = @_;
    while (my $undo = pop @{ $self->{undo} }) {
        eval { $undo->(); 1 } or warn "while tidying up: $@";
    }
    return;
}

sub DESTROY { my ($self) = @_; $self->undo if $self->{owner} == $$; return }

# A whole cycle of xtree's worker that begins after this.
sub await_cycle {
    my ($self) = @_;
    my $cycles = sub { $self->{db}->value('SELECT cycles FROM pg_stat_xtree_worker') };
    my $before = $cycles->();
    for (1 .. 200) {
        return if $cycles->() >= $before + 2;
        select undef, undef, undef, 0.05;
    }
    die "the worker does nothing\n";
}

# Bytes of a process: private memory, and page tables.  Private is what belongs to no file: Private_Dirty would count pages
# of mapped files, too, that wait to be written and that no other process has mapped at the moment.
sub memory_of {
    my ($self, $pid) = @_;
    return { private => _kilobytes("/proc/$pid/smaps_rollup", 'Anonymous'), page_tables => _kilobytes("/proc/$pid/status", 'VmPTE') };
}

sub _kilobytes {
    my ($file, $field) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    my ($kb) = map { /^$field:\s+(\d+) kB/ ? $1 : () } <$in>;
    return 1024 * $kb;
}

# Address space of the dynamic shared memory that a process has attached.
sub dynamic_shared_memory {
    my ($self, $pid) = @_;
    open my $in, '<', "/proc/$pid/maps" or die "/proc/$pid/maps: $!\n";
    my $sum = 0;
    no warnings 'portable';    # addresses have more than 32 bits
    while (<$in>) { $sum += hex($2) - hex $1 if m{^(\w+)-(\w+) .*/dev/shm/PostgreSQL} }
    return $sum;
}

sub count_of_maps {
    my ($self, $pid) = @_;
    open my $in, '<', "/proc/$pid/maps" or die "/proc/$pid/maps: $!\n";
    return scalar(() = <$in>);
}

sub count_of_files { my ($self, $pid) = @_; my @files = glob "/proc/$pid/fd/*"; return scalar @files }

# The files of an index.
sub files {
    my ($self, $index) = @_;
    my $base = "$self->{data}/" . $self->{db}->value("SELECT pg_relation_filepath('$index')");
    return grep { -e } $base, map { "$base.$_" } 1 .. 9;
}

# A string with a byte per page of the file: is it in the page cache?
sub residency {
    my ($self, $file) = @_;
    my $bytes = -s $file or return '';
    open my $in, '+<', $file or die "$file: $!\n";    # the kernel tells those who may write
    my $address = syscall($self->{syscall}{mmap}, 0, $bytes, $PROT_READ, $MAP_SHARED, fileno $in, 0);
    die "mmap $file: $!\n" if $address == -1;
    my $present = "\0" x int(($bytes + $PAGE - 1) / $PAGE);
    my $failed  = syscall($self->{syscall}{mincore}, $address, $bytes, $present);
    syscall($self->{syscall}{munmap}, $address, $bytes);
    die "mincore $file: $!\n" if $failed;
    return $present;
}

sub resident_bytes {
    my ($self, @files) = @_;
    my $pages = 0;
    $pages += grep { ord($_) & 1 } split //, $self->residency($_) for @files;
    return $pages * $PAGE;
}

# Drops what nobody has in use from the page cache (posix_fadvise), written back before.
sub drop_from_cache {
    my ($self, @files) = @_;
    for my $file (@files) {
        system(qq(dd of="$file" oflag=nocache conv=notrunc,fdatasync count=0 status=none)) == 0 or die "dd of $file failed\n";
    }
    return;
}

# Sets RLIMIT_MEMLOCK of a process, as root or as its account.  False where the operating system does not allow that.
sub limit_locked_memory {
    my ($self, $pid, $value) = @_;
    my $name = getpwuid $self->{uid};
    for my $as ('', $> == 0 ? "runuser -u $name -- " : ()) {
        return 1 if system("${as}prlimit --pid $pid --memlock=$value 2>/dev/null") == 0;
    }
    return 0;
}

# A memory limit for the server's processes and those that they start (a restarted server needs it anew): a group below
# our own.  The reason where there is none.
sub limit_memory {
    my ($self, $bytes) = @_;
    my ($group, $file) = _memory_group();
    return 'no control group of memory is writable' unless $group;
    my $own = "$group/xtree-bench-$$";
    unless (-d $own) {
        mkdir $own or return "no control group of memory can be made: $!";
        $self->later(sub { _remove_group($group, $own) });
    }
    $self->{group} = $own;
    return "$file of a control group cannot be written" unless _say("$own/$file", $bytes);
    for my $pid ($self->processes) { return 'a process cannot be moved to a control group' unless _say("$own/cgroup.procs", $pid) }
    return undef;
}

# Processes that are in it go back to where we are.
sub _remove_group {
    my ($group, $own) = @_;
    for (1 .. 50) {
        my @left = _lines("$own/cgroup.procs");
        _say("$group/cgroup.procs", $_) for @left;
        return if rmdir $own;
        select undef, undef, undef, 0.1;
    }
    warn "rmdir $own: $!\n";
    return;
}

# Writes so many bytes within the limit and reads them twice, so that the kernel must take memory from somebody, and from
# what was in use as well.
sub press {
    my ($self, $bytes) = @_;
    my $fill = "$self->{data}/../bench-fill";
    my $megabytes = int($bytes / 2**20) + 1;
    my $command   = qq(echo \$\$ > "$self->{group}/cgroup.procs" && dd if=/dev/zero of="$fill" bs=1M count=$megabytes conv=fdatasync status=none)
        . qq( && cat "$fill" "$fill" >/dev/null);
    my $failed = system('sh', '-c', $command);
    unlink $fill;
    die "pressure on memory: writing or reading $fill failed\n" if $failed;
    return;
}

sub _lines {
    my ($file) = @_;
    open my $in, '<', $file or return;
    chomp(my @lines = <$in>);
    return @lines;
}

sub _say {
    my ($file, $text) = @_;
    open my $out, '>', $file or return 0;
    return (syswrite $out, "$text\n") ? 1 : 0;
}

# Our own group of the memory controller, and the name of its limit: version 1, else version 2.
sub _memory_group {
    for (_lines('/proc/self/cgroup')) {
        my ($controllers, $path) = /^\d+:([^:]*):(.*)/ or next;
        for my $root ("/sys/fs/cgroup/memory", "/sys/fs/cgroup") {
            my $file = $controllers =~ /\bmemory\b/ ? 'memory.limit_in_bytes' : $controllers eq '' ? 'memory.max' : next;
            return ($root . $path, $file) if -w $root . $path && -e "$root$path/$file";
        }
    }
    return;
}

1;
