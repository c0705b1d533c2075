using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Lanes;

/// <content>
/// Partitions that belong to nobody. A static member that dies after a cooperative rebalance asked it to give a partition up,
/// and before it has joined once more, leaves that partition to nobody: its successor takes the place over without a
/// rebalance (KIP-345), owns nothing that it could give up, and the group is stable. Nothing in Kafka ends that before the
/// next rebalance, so each lane looks once after it has joined and, if need be, leaves and joins again.
/// </content>
public sealed partial class Lane
{
    private string _coveredAs = "";
    private bool _wasIncomplete;
    private long _coverageAtMs;
    private int _rejoins;

    /// <summary>
    /// Only a successor can find such a partition left over, and it joins, under a member id of its own, before it looks: one
    /// look that finds all partitions taken is enough for as long as that id lasts.
    /// </summary>
    private void WatchCoverage()
    {
        long now = NowMs();
        if (now < _coverageAtMs)
        {
            return;
        }

        _coverageAtMs = now + _options.CoverageAskMs;
        GroupMembership membership = _ports.Source.Membership;
        if (!membership.IsMember || membership.MemberId == _coveredAs)
        {
            return;
        }

        switch (_ports.Source.Coverage(_partitions))
        {
            case GroupCoverage.Complete:
                _coveredAs = membership.MemberId;
                _wasIncomplete = false;
                _rejoins = 0;
                break;
            case GroupCoverage.Incomplete when _wasIncomplete:
                Rejoin(now);
                break;
            case GroupCoverage.Incomplete:
                // Between the two halves of a cooperative rebalance that is as it should be, for a moment.
                _wasIncomplete = true;
                _coverageAtMs = now + _options.CoveragePatienceMs;
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// Seldom more than once; where it does not help (the group's leader has not heard yet of partitions that were added) the
    /// time to the next one doubles.
    /// </summary>
    private void Rejoin(long now)
    {
        _wasIncomplete = false;
        _coverageAtMs = now + ((long)_options.CoveragePatienceMs << _rejoins);
        _rejoins = Math.Min(_rejoins + 1, MaxRejoinDoublings);
        _ports.Observer.Trouble(
            $"{_spec.Reads}: group {_spec.Group} is stable and leaves partitions to nobody; this lane joins it again, so that all are shared out anew."
        );
        if (!Planted.Is(PlantedBug.LeftToNobody))
        {
            _ports.Source.Rejoin();
        }
    }
}
