# Places where a file can be mapped, and where not (docs/memory.md, "Where files can be mapped"): tablespaces on tmpfs, on an overlay (also when the files
# lie in its lower layer and are copied up while the server runs) and on ramfs, which stands for all file systems that are not known; a tablespace that becomes
# read-only under the running server; a file that is gone; direct I/O. Everywhere the answers are those of the table, also while rows
# change; where nothing is mapped, the views and xtree_load() say why, the server's log says it once, and the next tries come more and more seldom.
# Where mounting is not permitted, what needs it is skipped: the test mounts in namespaces of its own, as any user may on most systems.
# Seen to fail: with ramfs taken for a file system that shares its pages; with each failure tried again after a second; with a missing file that is
# waited for.
use strict;
use warnings;

# ---- Once more in namespaces, as the same user; before the modules of the tests take hold of the output. Outside of the inner namespace a helper mounts what
# it is told to.
BEGIN
{
	if (!defined $ENV{XTREE_ODD_PLACES})
	{
		require Cwd;
		require File::Temp;
		my $dir  = File::Temp::tempdir('xtree_odd_XXXXXX', TMPDIR => 1, CLEANUP => 1);
		my $user = sprintf '--user --map-user=%d --map-group=%d', $>, (split ' ', $))[0];
		my $into = 'unshare --user --map-root-user --mount';
		$ENV{XTREE_ODD_PLACES} = '';
		if (system("$into sh -c 'mount -t tmpfs none $dir && unshare $user true' >/dev/null 2>&1") == 0)
		{
			$ENV{PERL5LIB} = join ':', @INC;
			$ENV{XTREE_ODD_PLACES} = $dir;
			mkdir "$dir/$_" foreach qw(tmpfs overlay ramfs ro);
			system("mkfifo $dir/orders") == 0 or die 'no fifo';
			my $helper = qq{while read -r order; do eval "\$order"; echo \$? >$dir/done.new; mv $dir/done.new $dir/done; done <>$dir/orders & helper=\$!};
			my $status = system(split(' ', $into), 'sh', '-c', qq{$helper; unshare $user "\$0" "\$1"; status=\$?; kill \$helper; exit \$status}, $^X, Cwd::abs_path($0));
			File::Temp::cleanup();
			require POSIX;
			POSIX::_exit($status == 0 ? 0 : ($status >> 8 || 1));
		}
	}
}

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $places = $ENV{XTREE_ODD_PLACES};    # '': nothing can be mounted

# Has the helper do something; false: it could not.
sub order
{
	my ($command) = @_;
	return 0 if $places eq '';
	unlink "$places/done";
	append_to_file("$places/orders", "$command\n");
	for (1 .. 1800) { last if -e "$places/done"; usleep(100_000); }
	return slurp_file("$places/done") == 0;
}

my $node = PostgreSQL::Test::Cluster->new('odd');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = xtree
xtree.map_after = 0
xtree.naptime = 100ms
xtree.idle_timeout = 0
autovacuum = off
fsync = off
CONF
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]); }
sql('CREATE EXTENSION xtree');

sub of { my ($name, $column) = @_; return sql("SELECT $column FROM pg_stat_xtree_indexes WHERE indexrelname = '${name}_p'"); }
sub by_scan { return "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_seqscan = on; $_[0]"; }
sub by_index { return "SET enable_seqscan = off; SET enable_indexonlyscan = off; SET enable_indexscan = on; SET enable_bitmapscan = on; $_[0]"; }
sub question
{
	my ($name) = @_;
	return join ';', map { "SELECT count(*), sum(id) FROM $name WHERE p <\@ box(point($_, 0), point($_ + 30, 80))" } map { $_ * 20 } 0 .. 4;
}
sub agree
{
	my ($name, $what) = @_;
	is(sql(by_index(question($name))), sql(by_scan(question($name))), "$name: $what");
}

sub make
{
	my ($name, $directory) = @_;
	mkdir $directory;
	sql("CREATE TABLESPACE $name LOCATION '$directory'");
	sql("CREATE TABLE $name (id int, p point) TABLESPACE $name; INSERT INTO $name SELECT i, point(random() * 100, random() * 100) FROM generate_series(1, 20000) i;
		CREATE INDEX ${name}_p ON $name USING xtree (p) TABLESPACE $name");
}
sub change
{
	my ($name) = @_;
	sql("INSERT INTO $name SELECT 20000 + i, point(random() * 100, random() * 100) FROM generate_series(1, 3000) i; DELETE FROM $name WHERE id % 5 = 0; UPDATE $name SET p = p + point(1, 1) WHERE id % 7 = 0");
}
sub mapped_by_questions
{
	my ($name) = @_;
	my $before = of($name, 'mapped_reads');
	sql(by_index(question($name)));
	return of($name, 'mapped_reads') - $before;
}

# All that an index goes through, where it can be mapped.
sub lives
{
	my ($name) = @_;
	is(sql("SELECT xtree_load('${name}_p')"), 't', "$name: loaded");
	cmp_ok(mapped_by_questions($name), '>', 5, "$name: read through a mapping");
	agree($name, 'answers');
	change($name);
	agree($name, 'after changes');
	sql("VACUUM $name; CHECKPOINT");
	agree($name, 'written to the file');
	cmp_ok(mapped_by_questions($name), '>', 5, "$name: and read through a mapping");
	sql("SELECT xtree_unload('${name}_p')");
	agree($name, 'unloaded');
	is(sql("SELECT xtree_check('${name}_p', true)"), '', "$name: xtree_check");
}

# All that it goes through where it cannot.
sub works_unmapped
{
	my ($name, $why) = @_;
	my ($status, $out, $error) = $node->psql('postgres', "SELECT xtree_load('${name}_p')");
	like($error, $why, "$name: xtree_load() says why");
	is(mapped_by_questions($name), 0, "$name: nothing is mapped");
	agree($name, 'answers');
	change($name);
	sql("VACUUM $name");
	agree($name, 'after changes');
	is(sql("SELECT xtree_check('${name}_p', true)"), '', "$name: xtree_check");
}

# ---- tmpfs, without a mount where the system has one for everybody.
my $shm = '/dev/shm/xtree_test_' . $$;
END { my $status = $?; system('rm', '-rf', $shm) if defined $shm && -d $shm; $? = $status; }
SKIP:
{
	my $mounted = order("mount -t tmpfs none $places/tmpfs");
	my $is_tmpfs = `stat -f -c %T /dev/shm 2>/dev/null` =~ /tmpfs/ && -w '/dev/shm';
	skip 'no tmpfs here', 8 if !$mounted && !$is_tmpfs;
	make('on_tmpfs', $mounted ? "$places/tmpfs/t" : $shm);
	lives('on_tmpfs');
}

# ---- An overlay. Then its files become the lower layer of another one.
SKIP:
{
	my $layers = "$places/overlay";
	my $mount  = sub { my ($lower, $upper) = @_;
		my $how = "-t overlay none $layers/there";
		my $layout = "lowerdir=$layers/$lower,upperdir=$layers/$upper,workdir=$layers/work_$upper";
		return order("mount $how -o userxattr,$layout 2>/dev/null || mount $how -o $layout 2>/dev/null"); };
	skip 'no overlay can be mounted here', 19 if !order("mount -t tmpfs none $layers && cd $layers && mkdir there empty first second work_first work_second; cd /");
	skip 'no overlay can be mounted here', 19 if !$mount->('empty', 'first');
	make('on_overlay', "$layers/there/t");
	lives('on_overlay');
	$node->stop;
	ok(order("umount $layers/there") && $mount->('first', 'second'), 'the files are in the lower layer now');
	$node->start;
	lives('on_overlay');
	$node->stop;
	ok(-d "$layers/second/t", 'and were copied up');
	$node->start;
	agree('on_overlay', 'after a restart');
}

# ---- A file system that nobody knows to share its pages.
SKIP:
{
	skip 'no ramfs can be mounted here', 9 if !order("mount -t ramfs none $places/ramfs && chmod 777 $places/ramfs");
	make('on_ramfs', "$places/ramfs/t");
	my $log = -s $node->logfile;
	works_unmapped('on_ramfs', qr/could not load index "on_ramfs_p": its file system \(ramfs, type 0x858458f6\) is not known to share the page cache/);
	is(of('on_ramfs', 'state'), 'failed', 'the state');
	like(of('on_ramfs', 'last_error'), qr/^its file system \(ramfs/, 'the reason in the view');
	my $failures = sub { sql(q{SELECT count(*) FROM pg_stat_xtree_events WHERE kind = 'failure' AND indexrelname = 'on_ramfs_p'}) };
	my $before = $failures->();
	for (1 .. 30) { sql(by_index(question('on_ramfs'))); usleep(100_000); }
	cmp_ok($failures->() - $before, '<=', 3, 'it is tried again, but not with every scan');
	is(scalar(() = slurp_file($node->logfile, $log) =~ /was not loaded: its file system/g), 1, "the server's log says it once");
}

# ---- Read-only from one moment to the next: what is open stays so, for the server too.
SKIP:
{
	skip 'nothing can be mounted here', 8 if !order("mount -t tmpfs none $places/ro");
	make('on_ro', "$places/ro/t");
	my $session = $node->background_psql('postgres', on_error_stop => 1);
	$session->query_safe("SELECT count(*) FROM on_ro WHERE p <\@ box '(0,0),(100,100)'; SET xtree.use_mmap = off");
	my $warm = join ';', by_scan(question('on_ro')), by_index(question('on_ro'));
	my $before = $session->query_safe($warm);
	sql('CHECKPOINT');
	sql("SELECT xtree_unload('on_ro_p')");
	ok(order("mount --bind $places/ro $places/ro && mount -o remount,bind,ro $places/ro"), 'the tablespace is read-only now');
	is($session->query_safe($warm), $before, 'a session that has its files open goes on');
	$session->query_safe('SET xtree.use_mmap = auto');
	is($session->query_safe($warm), $before, 'and does not need a mapping');
	ok($node->poll_query_until('postgres', q{SELECT state = 'failed' AND last_error = 'its file system is read-only' FROM pg_stat_xtree_indexes WHERE indexrelname = 'on_ro_p'}), 'the view says why there is none');
	my ($status, $out, $error) = $node->psql('postgres', by_scan(question('on_ro')));
	like($error, qr/could not open file .*Read-only file system/, "other sessions get the server's own error");
	ok(order("umount $places/ro"), 'it is writable again');
	agree('on_ro', 'answers');
	ok($node->poll_query_until('postgres', q{SELECT xtree_load('on_ro_p')}), 'and it is loaded');
	cmp_ok(mapped_by_questions('on_ro'), '>', 5, 'and mapped');
	change('on_ro');
	agree('on_ro', 'after changes');
	is(sql(q{SELECT xtree_check('on_ro_p', true)}), '', 'xtree_check');
	$session->quit;
}

# ---- No file of its own: as under a storage manager of somebody else, but with vanilla's it takes a session that has opened it.
{
	sql('CREATE TABLE gone AS SELECT i AS id, point(random() * 100, random() * 100) AS p FROM generate_series(1, 20000) i; CREATE INDEX gone_p ON gone USING xtree (p); CHECKPOINT');
	my $file = $node->data_dir . '/' . sql(q{SELECT pg_relation_filepath('gone_p')});
	my $session = $node->background_psql('postgres', on_error_stop => 1);
	my $warm = join ';', by_scan(question('gone')), by_index(question('gone'));
	$session->query_safe('SET xtree.use_mmap = off');
	my $before = $session->query_safe($warm);
	rename $file, "$file.away" or die;
	$session->query_safe('SET xtree.use_mmap = auto');
	is($session->query_safe($warm), $before, 'an index without a file is read through shared buffers') for 1 .. 3;
	like($session->query_safe(q{SELECT state, last_error FROM pg_stat_xtree_indexes WHERE indexrelname = 'gone_p'}), qr/^failed\|it has no file in this server/, 'and the view says why');
	rename "$file.away", $file or die;
	is(sql(q{SELECT xtree_load('gone_p')}), 't', 'when it is back it is loaded at once');
	$session->quit;
	agree('gone', 'answers');
	is(sql(q{SELECT xtree_check('gone_p', true)}), '', 'xtree_check');
}

# ---- Direct I/O.
SKIP:
{
	skip 'debug_io_direct is of PostgreSQL 16 and newer', 7 if $node->pg_version < 16;
	$node->append_conf('postgresql.conf', "debug_io_direct = 'data'");
	skip 'no direct I/O here', 7 if !$node->restart(fail_ok => 1);
	sql('CREATE TABLE direct AS SELECT i AS id, point(random() * 100, random() * 100) AS p FROM generate_series(1, 20000) i; CREATE INDEX direct_p ON direct USING xtree (p)');
	works_unmapped('direct', qr/not loaded: debug_io_direct includes data/);
	is(sql('SELECT mapping FROM pg_stat_xtree_memory'), 'debug_io_direct includes data', 'the view of the server says why');
}

$node->stop('fast', fail_ok => 1);
done_testing();
