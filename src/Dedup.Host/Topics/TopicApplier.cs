using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Host.Guards;

namespace Dedup.Host.Topics;

/// <summary>Makes and alters topics as a plan says.</summary>
public sealed class TopicApplier
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    // A new topic reaches every broker within a second or two; a program started at once must find it.
    private static readonly TimeSpan VisibleTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan VisiblePoll = TimeSpan.FromMilliseconds(100);

    private readonly IAdminClient _admin;

    /// <summary>Works through a client.</summary>
    public TopicApplier(IAdminClient admin) => _admin = admin;

    /// <summary>Does all that can be done; returns what could not be.</summary>
    public async Task<IReadOnlyList<Finding>> ApplyAsync(
        IReadOnlyList<TopicPlan> plans,
        CancellationToken cancellation
    )
    {
        var findings = new FindingList();
        TopicPlan[] created = [.. plans.Where(static p => p.Action == PlanAction.Create)];
        foreach (TopicPlan plan in created)
        {
            await Try(plan, () => Create(plan), findings);
        }

        foreach (TopicPlan plan in plans.Where(static p => p.Action == PlanAction.Alter))
        {
            if (plan.PartitionsTo > plan.PartitionsFrom)
            {
                await Try(plan, () => Grow(plan), findings);
            }

            if (plan.Configs.Length > 0)
            {
                await Try(plan, () => Alter(plan), findings);
            }
        }

        if (!findings.HasErrors)
        {
            await WaitUntilVisible([.. created.Select(static p => p.Topic)], cancellation);
        }

        return findings.All;
    }

    private async Task Create(TopicPlan plan) =>
        await _admin.CreateTopicsAsync(
            [
                new TopicSpecification
                {
                    Name = plan.Topic,
                    NumPartitions = plan.PartitionsTo,
                    ReplicationFactor = plan.Replicas,
                    Configs = plan.Configs.ToDictionary(static c => c.Name, static c => c.To),
                },
            ],
            new CreateTopicsOptions { OperationTimeout = Timeout, RequestTimeout = Timeout }
        );

    private async Task Grow(TopicPlan plan) =>
        await _admin.CreatePartitionsAsync(
            [new PartitionsSpecification { Topic = plan.Topic, IncreaseTo = plan.PartitionsTo }],
            new CreatePartitionsOptions { OperationTimeout = Timeout, RequestTimeout = Timeout }
        );

    private async Task Alter(TopicPlan plan) =>
        await _admin.IncrementalAlterConfigsAsync(
            new Dictionary<ConfigResource, List<ConfigEntry>>
            {
                [new ConfigResource { Type = ResourceType.Topic, Name = plan.Topic }] =
                [
                    .. plan.Configs.Select(static c => new ConfigEntry
                    {
                        Name = c.Name,
                        Value = c.To,
                        IncrementalOperation = AlterConfigOpType.Set,
                    }),
                ],
            },
            new IncrementalAlterConfigsOptions { RequestTimeout = Timeout }
        );

    private static async Task Try(TopicPlan plan, Func<Task> act, FindingList findings)
    {
        try
        {
            await act();
        }
        catch (KafkaException e)
        {
            string detail = e switch
            {
                CreateTopicsException c => c.Results.FirstOrDefault(static r =>
                    r.Error.IsError
                )?.Error.Reason
                    ?? e.Error.Reason,
                CreatePartitionsException c => c.Results.FirstOrDefault(static r =>
                    r.Error.IsError
                )?.Error.Reason
                    ?? e.Error.Reason,
                IncrementalAlterConfigsException c => c.Results.FirstOrDefault(static r =>
                    r.Error.IsError
                )?.Error.Reason
                    ?? e.Error.Reason,
                _ => e.Error.Reason,
            };
            findings.Error(
                $"topic {plan.Topic}",
                $"could not be {(plan.Action == PlanAction.Create ? "made" : "altered")}: {detail}",
                "allow CREATE and ALTER to this user, or have the topic made as the plan says"
            );
        }
    }

    private async Task WaitUntilVisible(string[] topics, CancellationToken cancellation)
    {
        if (topics.Length == 0)
        {
            return;
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(VisibleTimeout);
        try
        {
            while (true)
            {
                try
                {
                    DescribeTopicsResult seen = await _admin.DescribeTopicsAsync(
                        TopicCollection.OfTopicNames(topics),
                        new DescribeTopicsOptions { RequestTimeout = Timeout }
                    );
                    if (
                        seen.TopicDescriptions.All(static d =>
                            d.Partitions.Count > 0
                            && d.Partitions.All(static p => p.Leader is not null)
                        )
                    )
                    {
                        return;
                    }
                }
                catch (DescribeTopicsException)
                {
                    // Not there yet.
                }

                await Task.Delay(VisiblePoll, timeout.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // They were made; that a broker is slow to tell is no failure.
        }
    }
}
