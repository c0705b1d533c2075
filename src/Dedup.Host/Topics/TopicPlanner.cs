using System.Collections.Immutable;
using System.Globalization;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Topics;

/// <summary>What the user decides about topics that are made.</summary>
/// <param name="InputPartitions">Partitions of an input that does not exist; null to refuse to make it.</param>
/// <param name="Replicas">Replication factor; null for three, or as many as there are brokers.</param>
public readonly record struct PlanOptions(int? InputPartitions, int? Replicas);

/// <summary>Compares topics with what pipelines need of them.</summary>
public static class TopicPlanner
{
    /// <summary>Three: one broker may be down for maintenance while another one fails.</summary>
    private const int WantedReplicas = 3;

    private static readonly string[] CopiedAtCreation = ["retention.ms", "retention.bytes"];

    /// <summary>The plan, inputs first, in the order of the configuration.</summary>
    public static ImmutableArray<TopicPlan> Plan(
        DedupConfig config,
        ClusterFacts facts,
        PlanOptions options
    )
    {
        var plans = ImmutableArray.CreateBuilder<TopicPlan>();
        var requirements = new List<TopicRequirement>();
        foreach (PipelineSpec spec in config.Pipelines)
        {
            TopicFacts input = facts.Topics.GetValueOrDefault(spec.Input) ?? Missing(spec.Input);
            if (!plans.Any(p => p.Topic == spec.Input))
            {
                plans.Add(Input(spec, input, facts, options));
            }

            if (!input.Exists && options.InputPartitions is { } partitions)
            {
                input = input with { Partitions = partitions };
            }

            if (input is { Denied: null, Partitions: > 0 })
            {
                requirements.AddRange(TopicRequirements.Of(spec, input));
            }
        }

        foreach (
            IGrouping<string, TopicRequirement> topic in requirements.GroupBy(static r => r.Topic)
        )
        {
            // A topic that one pipeline writes and another reads is planned as the output that it is.
            TopicPlan plan = Output([.. topic], config, facts, options);
            TopicPlan? asInput = plans.FirstOrDefault(p => p.Topic == topic.Key);
            if (asInput is not null)
            {
                plans.Remove(asInput);
            }

            plans.Add(plan);
        }

        return plans.ToImmutable();
    }

    /// <summary>What a pipeline's topics are meant to be, whatever is there: the plan of a cluster that has only the input.</summary>
    public static ImmutableArray<TopicPlan> Whole(
        DedupConfig config,
        string pipeline,
        ClusterFacts facts,
        PlanOptions options
    )
    {
        PipelineSpec spec = config.Pipelines.First(p => p.Name == pipeline);
        ClusterFacts bare = facts with
        {
            Topics = facts
                .Topics.Where(t => t.Key == spec.Input)
                .ToImmutableDictionary(StringComparer.Ordinal),
        };
        return Plan(config with { Pipelines = [spec] }, bare, options);
    }

    private static TopicPlan Input(
        PipelineSpec spec,
        TopicFacts input,
        ClusterFacts facts,
        PlanOptions options
    )
    {
        var plan = new TopicPlan
        {
            Topic = spec.Input,
            Purpose = $"input of {spec.Name}",
            Action = PlanAction.Keep,
            PartitionsFrom = input.Partitions,
            PartitionsTo = input.Partitions,
            Replicas = (short)input.Replicas,
        };
        if (input.Exists)
        {
            return input.Denied is null
                ? plan
                : plan with
                {
                    Action = PlanAction.Refuse,
                    Problem = $"it may not be seen: {input.Denied}",
                };
        }

        if (options.InputPartitions is not { } partitions)
        {
            return plan with
            {
                Action = PlanAction.Refuse,
                Problem = "it does not exist; give --partitions N to make it, or correct the name",
            };
        }

        short replicas = Replicas(facts, options);
        return plan with
        {
            Action = PlanAction.Create,
            PartitionsTo = partitions,
            Replicas = replicas,
            Configs = [.. MinInsync(replicas)],
        };
    }

    private static TopicPlan Output(
        ImmutableArray<TopicRequirement> needs,
        DedupConfig config,
        ClusterFacts facts,
        PlanOptions options
    )
    {
        TopicFacts actual =
            facts.Topics.GetValueOrDefault(needs[0].Topic) ?? Missing(needs[0].Topic);
        int partitions = needs.Max(static n => n.Partitions);
        var plan = new TopicPlan
        {
            Topic = actual.Name,
            Purpose = string.Join(", ", needs.Select(static n => $"{n.RoleText} of {n.Pipeline}")),
            Action = PlanAction.Keep,
            PartitionsFrom = actual.Partitions,
            PartitionsTo = Math.Max(actual.Partitions, partitions),
        };
        if (!actual.Exists)
        {
            return Create(plan with { PartitionsTo = partitions }, needs, config, facts, options);
        }

        if (actual.Denied is not null || actual.Configs is null)
        {
            return plan with
            {
                Action = PlanAction.Refuse,
                Problem = $"it may not be seen: {actual.Denied ?? "its configuration"}",
            };
        }

        if (needs.Any(n => !n.MayHaveMore && actual.Partitions > n.Partitions))
        {
            return plan with
            {
                Action = PlanAction.Refuse,
                Problem =
                    $"it has {actual.Partitions} partitions, the input {partitions}; partitions cannot be taken away: use another topic",
            };
        }

        ImmutableArray<ConfigChange> changes = Changes(needs, actual);
        if (
            plan.PartitionsTo > plan.PartitionsFrom
            && needs.FirstOrDefault(n => IsFixed(config, n)) is { } held
        )
        {
            return plan with
            {
                Action = PlanAction.Refuse,
                PartitionsTo = plan.PartitionsFrom,
                Problem =
                    $"it has {actual.Partitions} partitions, not {partitions}: IDs would be looked for where they are not; set 'repartition: {{ partitions: {actual.Partitions} }}' of pipeline '{held.Pipeline}'",
            };
        }

        bool same = changes.IsEmpty && plan.PartitionsTo == plan.PartitionsFrom;
        return same ? plan : plan with { Action = PlanAction.Alter, Configs = changes };
    }

    /// <summary>With by-id the state's partitions are fixed; only those of the input, and what goes with them, may grow.</summary>
    private static bool IsFixed(DedupConfig config, TopicRequirement need) =>
        need.Role == TopicRole.Repartition
        || (
            need.Role == TopicRole.Changelog
            && config.Pipelines.Any(p =>
                p.Name == need.Pipeline && p.Partitioning == Partitioning.ById
            )
        );

    private static TopicPlan Create(
        TopicPlan plan,
        ImmutableArray<TopicRequirement> needs,
        DedupConfig config,
        ClusterFacts facts,
        PlanOptions options
    )
    {
        short replicas = Replicas(facts, options);
        var configs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (TopicRequirement need in needs)
        {
            TopicFacts? input = facts.Topics.GetValueOrDefault(
                config.Pipelines.First(p => p.Name == need.Pipeline).Input
            );
            foreach (ConfigRequirement wanted in need.Configs)
            {
                // Older brokers refuse properties that they do not know: the input's list shows which they know.
                if (input?.Configs is null || input.Configs.ContainsKey(wanted.Name))
                {
                    configs[wanted.Name] = configs.TryGetValue(wanted.Name, out string? other)
                        ? Larger(other, wanted.Wanted)
                        : wanted.Wanted;
                }
            }

            // First occurrences are as long of use as the input's records are; quarantine and changelog have lives of their own.
            foreach (
                string name in CopiedAtCreation.Where(n =>
                    need.Role == TopicRole.Clean && input?.OwnConfigs.Contains(n) == true
                )
            )
            {
                configs[name] = input!.Configs![name];
            }
        }

        return plan with
        {
            Action = PlanAction.Create,
            Replicas = replicas,
            Configs =
            [
                .. configs.Select(static c => new ConfigChange(c.Key, null, c.Value)),
                .. MinInsync(replicas),
            ],
        };
    }

    private static ImmutableArray<ConfigChange> Changes(
        ImmutableArray<TopicRequirement> needs,
        TopicFacts actual
    )
    {
        var changes = new SortedDictionary<string, ConfigChange>(StringComparer.Ordinal);
        foreach (ConfigRequirement wanted in needs.SelectMany(static n => n.Configs))
        {
            if (
                !actual.Configs!.TryGetValue(wanted.Name, out string? value)
                || wanted.Accepts(value)
            )
            {
                continue;
            }

            string to = changes.TryGetValue(wanted.Name, out ConfigChange other)
                ? Larger(other.To, wanted.Wanted)
                : wanted.Wanted;
            changes[wanted.Name] = new ConfigChange(wanted.Name, value, to);
        }

        string minInsync = actual.Configs!.GetValueOrDefault("min.insync.replicas", "1");
        int wantedMin = TopicRequirements.MinInsyncFor(actual.Replicas);
        bool tooHigh =
            int.TryParse(minInsync, NumberStyles.None, CultureInfo.InvariantCulture, out int min)
            && min > actual.Replicas;
        if (tooHigh || (min == 1 && wantedMin > 1))
        {
            string to = wantedMin.ToString(CultureInfo.InvariantCulture);
            changes["min.insync.replicas"] = new ConfigChange("min.insync.replicas", minInsync, to);
        }

        return [.. changes.Values];
    }

    private static short Replicas(ClusterFacts facts, PlanOptions options) =>
        (short)(options.Replicas ?? Math.Clamp(facts.Brokers, 1, WantedReplicas));

    private static IEnumerable<ConfigChange> MinInsync(short replicas) =>
        replicas > 1
            ?
            [
                new ConfigChange(
                    "min.insync.replicas",
                    null,
                    TopicRequirements.MinInsyncFor(replicas).ToString(CultureInfo.InvariantCulture)
                ),
            ]
            : [];

    private static string Larger(string a, string b) =>
        long.TryParse(a, NumberStyles.None, CultureInfo.InvariantCulture, out long x)
        && long.TryParse(b, NumberStyles.None, CultureInfo.InvariantCulture, out long y)
        && y < x
            ? a
            : b;

    private static TopicFacts Missing(string name) => new() { Name = name, Exists = false };
}
