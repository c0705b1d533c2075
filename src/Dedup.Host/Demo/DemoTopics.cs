using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Topics;

namespace Dedup.Host.Demo;

/// <summary>Makes the demo's topics as <c>dedup topics --apply</c> would, and takes them away again.</summary>
internal static class DemoTopics
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(500);

    public static async Task MakeAsync(
        DedupConfig config,
        DemoPlan plan,
        CancellationToken cancellation
    )
    {
        if (plan.IsMock)
        {
            Touch(config, plan);
            return;
        }

        (ClusterReader? reader, Finding? problem) = ClusterReader.Open(config);
        if (reader is null)
        {
            throw new ProblemException(ExitCode.Usage, problem!.What, problem.Fix);
        }

        using (reader)
        {
            ClusterFacts facts = await reader.ReadAsync(config.Pipelines, cancellation);
            if (facts.Unreachable is { } unreachable)
            {
                throw new ProblemException(ExitCode.Usage, unreachable.What, unreachable.Fix);
            }

            IReadOnlyList<TopicPlan> plans = TopicPlanner.Plan(
                config,
                facts,
                new PlanOptions(DemoPlan.Partitions, null)
            );
            IReadOnlyList<Finding> failed = await new TopicApplier(reader.Admin).ApplyAsync(
                plans,
                cancellation
            );
            if (failed.Count > 0)
            {
                throw new ProblemException(
                    ExitCode.Usage,
                    $"{failed[0].Where} {failed[0].What}",
                    failed[0].Fix
                );
            }
        }
    }

    /// <summary>Removes topics and group from a cluster that stays; what cannot be removed is named.</summary>
    public static async Task RemoveAsync(string bootstrap, DemoPlan plan, Action<string> say)
    {
        using IAdminClient admin = Client(bootstrap);
        await Try(
            "topics",
            () =>
                admin.DeleteTopicsAsync(
                    plan.Topics,
                    new DeleteTopicsOptions { RequestTimeout = Timeout }
                ),
            say
        );
        say(
            "waiting for the group to be empty (a static member leaves it after the session time-out)"
        );
        await Try("group", () => DeleteGroup(admin, plan.Group), say);
    }

    private static async Task DeleteGroup(IAdminClient admin, string group)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await admin.DeleteGroupsAsync(
                    [group],
                    new DeleteGroupsOptions { RequestTimeout = Timeout }
                );
                return;
            }
            catch (DeleteGroupsException e)
                when (Stopwatch.GetElapsedTime(begun) < Timeout
                    && e.Results.Exists(static r => r.Error.Code == ErrorCode.NonEmptyGroup)
                )
            {
                await Task.Delay(AskAgain);
            }
        }
    }

    // The mock has no CreateTopics: a topic appears, with four partitions, when somebody asks for it.
    private static void Touch(DedupConfig config, DemoPlan plan)
    {
        using IAdminClient admin = Client(config.Kafka["bootstrap.servers"]!);
        foreach (string topic in plan.Topics)
        {
            _ = admin.GetMetadata(topic, Timeout);
        }
    }

    private static IAdminClient Client(string bootstrap) =>
        new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = bootstrap, AllowAutoCreateTopics = true }
        )
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();

    private static async Task Try(string what, Func<Task> act, Action<string> say)
    {
        try
        {
            await act();
        }
        catch (KafkaException e)
        {
            say($"the demo's {what} could not be removed: {e.Error.Reason}");
        }
    }
}
