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

    /// <summary>Partitions whose next record is not the one that the lane waits for.</summary>
    private readonly List<int> _adrift = [];

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

    /// <summary>
    /// New partitions come under the name of now: those held before must have come under the same. Who is told of partitions
    /// while the group has thrown it out already holds them under no name.
    /// </summary>
    private void HoldAsMember()
    {
        GroupMembership membership = _ports.Source.Membership;
        string member = membership.IsMember ? membership.MemberId : "";
        if (_tasks.Count > 0)
        {
            NoteIfRenamed(member);
        }
        else
        {
            _isRenamed = false;
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

    /// <summary>
    /// A position that is not in the log, or that the client cannot go to. A lane that slept through the loss of the partition
    /// sees that as well, when its successor has committed and retention has followed. The client fetches such a partition
    /// again only when it is assigned once more; then committed offset, marker, and log are compared as at a start, which
    /// fails if records were deleted before they were read.
    /// </summary>
    private void SetAdrift(int partition, string what)
    {
        _ports.Observer.Trouble(
            $"{_spec.Reads}-{partition}: {what}; the lane joins the group once more and begins it anew."
        );
        if (!_adrift.Contains(partition))
        {
            _adrift.Add(partition);
        }
    }

    /// <summary>Nothing of these is committed any more; the others are given back in good order, and all come again.</summary>
    private void GiveUpAdrift()
    {
        int[] partitions = [.. _adrift];
        _adrift.Clear();
        OnLost(partitions);
        _ports.Source.Rejoin();
    }
}
