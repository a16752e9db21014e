# A private server for the benchmark: own data directory, unix socket only, removed
# at the end.  Used by bench.pl when no --host is given.  The settings come from
# bench.conf, which the caller of an own server should use as well.
package Bench::Server;
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp ();

my $CONF = dirname(__FILE__) . '/../../bench.conf';

sub start {
    my ($class) = @_;
    chomp(my $bin = `\${PG_CONFIG:-pg_config} --bindir`);
    die "pg_config not found: set PG_CONFIG, or name a server with --host and --port\n" unless $bin && -x "$bin/initdb";
    my $dir  = File::Temp->newdir('xtree-bench-XXXXXX', TMPDIR => 1);
    my $self = bless { bin => $bin, dir => $dir, pid => $$ }, $class;
    $self->_give_away if $> == 0;
    $self->_run(qq("$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync --locale=C -E UTF8 >"$dir/initdb.log"));
    $self->_append_conf;
    eval { $self->_run(qq("$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" start >/dev/null)); 1 }
        or die $@, `tail -n 20 "$dir/log"`;
    $self->{running} = 1;
    return $self;
}

# PostgreSQL refuses to run as root, so root hands the directory to the postgres account.
sub _give_away {
    my ($self) = @_;
    my ($uid, $gid) = (getpwnam 'postgres')[ 2, 3 ];
    die "run as an ordinary user, or create the account postgres\n" unless defined $uid;
    chown $uid, $gid, "$self->{dir}" or die "chown $self->{dir}: $!\n";
    $self->{as} = 'runuser -u postgres --';
    return;
}

sub _run {
    my ($self, $command) = @_;
    my $as = $self->{as} // '';
    system(qq(cd / && $as sh -c '$command')) == 0 or die "failed: $command\n";
    return;
}

sub _append_conf {
    my ($self) = @_;
    open my $in,  '<',  $CONF                                or die "$CONF: $!\n";
    open my $out, '>>', "$self->{dir}/data/postgresql.conf" or die "postgresql.conf: $!\n";
    print {$out} <$in>, "listen_addresses = ''\nunix_socket_directories = '$self->{dir}'\n";
    close $out or die "postgresql.conf: $!\n";
    return;
}

sub socket_dir { my ($self) = @_; return "$self->{dir}" }

sub DESTROY {
    my ($self) = @_;
    return unless $self->{running} && $self->{pid} == $$;
    local ($?, $@);
    eval { $self->_run(qq("$self->{bin}/pg_ctl" -D "$self->{dir}/data" -m immediate -w stop >/dev/null)); 1 } or warn $@;
    return;
}

1;
