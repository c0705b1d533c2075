using Confluent.Kafka;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Transport;

/// <summary>
/// Asks in the background who has which partition, for which the right to read the group is enough.
/// </summary>
/// <remarks>
/// With ListGroup, the old call that asks every broker, and not with DescribeConsumerGroups: whatever the admin client of
/// librdkafka 2.15.1 asks a coordinator ends the process (an assertion on enq_once, librdkafka issue 4605 and pull request
/// 5397) when that broker goes down at that moment, and a member joins again, and so asks, just when its coordinator has died.
/// </remarks>
internal sealed class GroupQuery(
    LogQueries queries,
    string group,
    string topic,
    Func<string> memberId
) : IDisposable
{
    /// <summary>Also what a lane that stops may have to wait. With a broker down there is no answer until the client knows.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private const string Stable = "Stable";

    private Task<GroupInfo?>? _question;
    private string _askedAs = "";

    /// <summary>The answer to the question of an earlier call, or Unknown, and then a question is on its way.</summary>
    public GroupCoverage Ask(int partitions)
    {
        if (_question is null)
        {
            _askedAs = memberId();
            _question = Task.Run(() => queries.Group(group, Timeout));
            return GroupCoverage.Unknown;
        }

        if (!_question.IsCompleted)
        {
            return GroupCoverage.Unknown;
        }

        GroupInfo? answer = _question.GetAwaiter().GetResult();
        _question = null;
        // A group that cannot be described now is asked for again; nothing else depends on it. An answer from before the last
        // join says nothing of what that left over.
        return answer is not null && _askedAs == memberId()
            ? Of(answer, partitions)
            : GroupCoverage.Unknown;
    }

    /// <summary>Waits for the question on its way: the client must not go from under it.</summary>
    public void Dispose() => _question?.Wait();

    private GroupCoverage Of(GroupInfo info, int partitions)
    {
        if (info.Error.IsError || info.State != Stable)
        {
            return GroupCoverage.Unknown;
        }

        var taken = new HashSet<int>();
        foreach (GroupMemberInfo member in info.Members)
        {
            if (!MemberAssignment.TryRead(member.MemberAssignment, topic, taken))
            {
                return GroupCoverage.Unknown;
            }
        }

        return Enumerable.Range(0, partitions).All(taken.Contains)
            ? GroupCoverage.Complete
            : GroupCoverage.Incomplete;
    }
}
