using Dedup.Contracts.Changelog;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Runs;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// The transactions of a partition between the hops, along its changelog: each record that is judged belongs to the first one
/// whose marker stands behind it.
/// </summary>
internal sealed class MarkerWalk
{
    private readonly List<(CommittedTransaction Transaction, Marker Marker)> _transactions;
    private readonly SimulatedRun _run;
    private readonly string _where;
    private int _next;

    /// <summary>Makes one, at the beginning.</summary>
    public MarkerWalk(SimulatedRun run, ModelLog changelog)
    {
        _run = run;
        _where = $"{changelog.Topic.Name}-{changelog.Partition}";
        _transactions =
        [
            .. CommittedTransaction
                .Of(changelog)
                .Select(t => (t, MarkerChecks.Read(t, _where, most: 2))),
        ];
    }

    /// <summary>
    /// Goes on to the transaction of the record at that offset: the reference has judged all before it, is held against each
    /// marker that is passed, and gets the mode of the process that judged that one.
    /// </summary>
    public void GoTo(long offset, Reference reference)
    {
        for (; _next < _transactions.Count; _next++)
        {
            (CommittedTransaction transaction, Marker marker) = _transactions[_next];
            if (marker.InputOffset > offset)
            {
                reference.Mode = _run.ModeOf(transaction);
                return;
            }

            MarkerChecks.Check(transaction, marker, reference, _where);
        }
    }
}
