using Dedup.Kafka.Tasks;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Lanes;

/// <content>
/// Under which name the lane holds what it holds. A static member that sleeps beyond its session and hears of that in the
/// answer to a JoinGroup gets a new member id, keeps its partitions, and nobody tells the application (librdkafka 2.15.1,
/// rd_kafka_cgrp_handle_JoinGroup: UNKNOWN_MEMBER_ID clears the member id and nothing else). Somebody else has gone on
/// meanwhile, and the group, which does not ask whose a partition is, would take this lane's offsets under the new name: its
/// marker of before the sleep would be the last one in the changelog, and its store would miss all that was seen since. So the
/// lane holds partitions under the member id that they were assigned under, commits under no other, and where it finds
/// another one it gives all of them up unsaid and joins the group as one who owns nothing.
/// </content>
public sealed partial class Lane
{
    private string _heldAs = "";
    private bool _isRenamed;

    /// <summary>Whether offsets of what the lane holds may be sent with it; notes it when they may not because of another name.</summary>
    private bool MayCommitAs(GroupMembership membership)
    {
        if (!membership.IsMember)
        {
            return Planted.Is(PlantedBug.SentWithoutMembership);
        }

        NoteIfRenamed(membership.MemberId);
        return !_isRenamed;
    }

    /// <summary>New partitions come under the name of now: those held before must have come under the same.</summary>
    private void HoldAsMember()
    {
        string member = _ports.Source.Membership.MemberId;
        if (_tasks.Count > 0)
        {
            NoteIfRenamed(member);
        }

        _heldAs = member;
    }

    private void NoteIfRenamed(string member) =>
        _isRenamed |= member != _heldAs && !Planted.Is(PlantedBug.RenamedMemberKept);

    /// <summary>
    /// All that is held is lost, without a word to the group; then out of it, and in again owning nothing: what it had joined
    /// with is a claim to partitions that others may be working on, and only who revokes and joins again lets go of that.
    /// </summary>
    private void GiveUpAsRenamed()
    {
        _isRenamed = false;
        _ports.Observer.Trouble(
            $"{_spec.Reads}: the session of this lane in group {_spec.Group} had ended, and the group has let it in again under another name; it gives its partitions up and joins once more."
        );
        OnLost(_tasks.Keys.ToArray());
        _ports.Source.Rejoin();
    }
}
