using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Transport;

/// <summary>
/// Asks the coordinator in the background who has which partition (DescribeConsumerGroups, for which the right to read the
/// group is enough). It goes by the member's own client: that one knows the coordinator already.
/// </summary>
internal sealed class GroupQuery(IClient member, string group, string topic, Func<string> memberId)
    : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly IAdminClient _admin = new DependentAdminClientBuilder(member.Handle).Build();
    private Task<DescribeConsumerGroupsResult>? _question;
    private string _askedAs = "";

    /// <summary>The answer to the question of an earlier call, or Unknown, and then a question is on its way.</summary>
    public GroupCoverage Ask(int partitions)
    {
        if (_question is null)
        {
            _askedAs = memberId();
            _question = _admin.DescribeConsumerGroupsAsync(
                [group],
                new DescribeConsumerGroupsOptions { RequestTimeout = Timeout }
            );
            return GroupCoverage.Unknown;
        }

        if (!_question.IsCompleted)
        {
            return GroupCoverage.Unknown;
        }

        Task<DescribeConsumerGroupsResult> answered = _question;
        _question = null;
        // A group that cannot be described now is asked for again; nothing else depends on it. An answer from before the last
        // join says nothing of what that left over.
        return answered.IsCompletedSuccessfully && _askedAs == memberId()
            ? Of(answered.Result.ConsumerGroupDescriptions[0], partitions)
            : GroupCoverage.Unknown;
    }

    /// <inheritdoc/>
    public void Dispose() => _admin.Dispose();

    private GroupCoverage Of(ConsumerGroupDescription description, int partitions)
    {
        if (description.Error.IsError || description.State != ConsumerGroupState.Stable)
        {
            return GroupCoverage.Unknown;
        }

        var taken = new HashSet<int>();
        foreach (MemberDescription member in description.Members)
        {
            taken.UnionWith(
                member
                    .Assignment.TopicPartitions.Where(p => p.Topic == topic)
                    .Select(static p => p.Partition.Value)
            );
        }

        return Enumerable.Range(0, partitions).All(taken.Contains)
            ? GroupCoverage.Complete
            : GroupCoverage.Incomplete;
    }
}
