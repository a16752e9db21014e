# What the planner knows with xtree: for sixty queries its count of rows beside the truth, with xtree.estimate_rows and
# without, and the plan that it chooses beside the best of all that it can be made to choose.  Then what planning takes.
# Times only inform: what counts for the exit status is that all plans of a query answer alike.
package Bench::Plans;
use strict;
use warnings;
use Bench::Plans::Choice;
use Bench::Plans::Figures;
use Bench::Plans::Planning;
use Bench::Plans::Queries;
use Bench::Plans::Report;
use Bench::Plans::Tables;
use Bench::Plans::Trial;

sub run {
    my ($db, $opt) = @_;
    my $session = $db->session;    # of its own, because it turns the planner's switches
    my $modes   = _modes($session);
    my $data    = Bench::Plans::Tables::make($session, $opt);
    Bench::Plans::Choice::begin($session);
    my @queries = map { Bench::Plans::Trial::run($session, $modes, $_) } Bench::Plans::Queries::all($session, $data);
    Bench::Plans::Choice::end($session);
    Bench::Plans::Tables::drop($session, $data);
    my $planning = Bench::Plans::Planning::measure($session, $opt, $modes);
    $session->disconnect;

    my $figures = { modes => $modes, queries => \@queries, planning => $planning };
    Bench::Plans::Report::queries($figures);
    Bench::Plans::Report::planning($figures);
    return { figures => $figures, targets => Bench::Plans::Figures::targets($figures) };
}

# The values of xtree.estimate_rows to compare: the first is what users have.  A build without the setting estimates as
# PostgreSQL does, which is `off`.
sub _modes {
    my ($session) = @_;
    $session->do(q{LOAD 'xtree'});    # before that a session does not list the setting
    return [qw(auto off)] if $session->value(q{SELECT count(*) FROM pg_settings WHERE name = 'xtree.estimate_rows'});
    print "\nplans: this build has no xtree.estimate_rows, so there are only the estimates of today (off)\n";
    return ['off'];
}

1;
