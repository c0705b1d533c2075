using System.Globalization;
using Dedup.Host.Configuration;
using Dedup.Host.Topics;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Guards;

/// <summary>What can be wrong between a configuration and the cluster: asked once, said all at once.</summary>
public static class ClusterGuards
{
    private const string MakeTopics = "run 'dedup topics --apply'";

    /// <summary>Asks the cluster and judges.</summary>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        DedupConfig config,
        CancellationToken cancellation
    )
    {
        (ClusterReader? reader, Finding? problem) = ClusterReader.Open(config);
        if (reader is null)
        {
            return [problem!];
        }

        using (reader)
        {
            return Judge(
                config,
                await reader.ReadAsync(config.Pipelines, cancellation, withTransactions: true)
            );
        }
    }

    /// <summary>Judges what the cluster said.</summary>
    public static IReadOnlyList<Finding> Judge(DedupConfig config, ClusterFacts facts)
    {
        if (facts.Unreachable is { } unreachable)
        {
            return [unreachable];
        }

        var findings = new FindingList();
        foreach (PipelineSpec spec in config.Pipelines)
        {
            Pipeline(config, spec, facts, findings);
        }

        if (facts.Brokers == 1)
        {
            findings.Warning(
                config.PlaceOf("kafka.bootstrap.servers").ToString(),
                "the cluster has one broker: a lost disk loses acknowledged records",
                "use three brokers and replication factor 3 in production"
            );
        }

        return [.. findings.All.Distinct()];
    }

    private static void Pipeline(
        DedupConfig config,
        PipelineSpec spec,
        ClusterFacts facts,
        FindingList findings
    )
    {
        TopicFacts input =
            facts.Topics.GetValueOrDefault(spec.Input)
            ?? new TopicFacts { Name = spec.Input, Exists = false };
        string where = config.PlaceOf($"pipelines.{spec.Name}.input").ToString();
        if (!input.Exists)
        {
            findings.Error(
                where,
                $"input topic '{input.Name}' does not exist",
                "correct the name, or make it: 'dedup topics --apply --partitions N'"
            );
        }
        else
        {
            Rights(where, "input", input, ["READ"], findings);
        }

        bool inputKnown = input is { Exists: true, Denied: null };
        foreach (TopicRequirement requirement in TopicRequirements.Of(spec, input))
        {
            Topic(config, requirement, inputKnown, facts, findings);
        }

        if (inputKnown)
        {
            ClientLimit(config, input, findings);
            AppendTime(config, spec, input, findings);
        }

        Group(config, spec, facts, findings);
        if (spec.Partitioning == Partitioning.ById)
        {
            Group(config, spec.RekeyHop(0), facts, findings);
        }
    }

    private static void AppendTime(
        DedupConfig config,
        PipelineSpec spec,
        TopicFacts input,
        FindingList findings
    )
    {
        if (
            spec.Time.IsAppend
            && input.Configs?.GetValueOrDefault("message.timestamp.type") is { } type
            && type != "LogAppendTime"
        )
        {
            findings.Error(
                config.PlaceOf($"pipelines.{spec.Name}.time").ToString(),
                $"'time: append' needs the broker's time in '{spec.Input}', whose records carry the producers' (message.timestamp.type={type})",
                "set message.timestamp.type=LogAppendTime on the topic, or write time: event"
            );
        }
    }

    private static void Topic(
        DedupConfig config,
        TopicRequirement requirement,
        bool inputKnown,
        ClusterFacts facts,
        FindingList findings
    )
    {
        string where = config
            .PlaceOf($"pipelines.{requirement.Pipeline}.{requirement.RoleText}")
            .ToString();
        string topic = $"{requirement.RoleText} topic '{requirement.Topic}'";
        if (facts.Topics.GetValueOrDefault(requirement.Topic) is not { Exists: true } actual)
        {
            findings.Error(where, $"{topic} does not exist", $"{MakeTopics}, or correct the name");
            return;
        }

        string[] rights = requirement.Role switch
        {
            TopicRole.Changelog or TopicRole.RekeyChangelog => ["READ", "WRITE"],
            TopicRole.Repartition => ["READ", "WRITE", "DELETE"],
            _ => ["WRITE"],
        };
        if (!Rights(where, requirement.RoleText, actual, rights, findings))
        {
            return;
        }

        if (inputKnown)
        {
            Partitions(config, where, topic, requirement, actual, findings);
        }

        if (facts.IsLimited)
        {
            return;
        }

        if (actual.Configs is null)
        {
            findings.Warning(
                where,
                $"the configuration of {topic} may not be read, so it is not checked",
                "allow DESCRIBE_CONFIGS on it"
            );
            return;
        }

        foreach (ConfigRequirement config1 in requirement.Configs)
        {
            Property(where, topic, config1, actual, findings);
        }

        Durability(where, topic, actual, facts.Brokers, findings);
    }

    private static void Partitions(
        DedupConfig config,
        string where,
        string topic,
        TopicRequirement requirement,
        TopicFacts actual,
        FindingList findings
    )
    {
        if (
            actual.Partitions == requirement.Partitions
            || (requirement.MayHaveMore && actual.Partitions > requirement.Partitions)
        )
        {
            return;
        }

        bool isBetween =
            requirement.Role == TopicRole.Repartition
            || (
                requirement.Role == TopicRole.Changelog
                && config.Pipelines.Any(p =>
                    p.Name == requirement.Pipeline && p.Partitioning == Partitioning.ById
                )
            );
        findings.Error(
            where,
            isBetween
                ? $"{topic} has {actual.Partitions} partitions, not {requirement.Partitions}: repartition topic and changelog have as many as 'repartition.partitions' says, or as the input has"
                : $"{topic} has {actual.Partitions} partitions, the input {requirement.Partitions}: a record goes to the partition that it came from",
            isBetween
                    ? $"set 'repartition: {{ partitions: {actual.Partitions} }}' if that is the number that the state was made with"
                : actual.Partitions < requirement.Partitions ? $"{MakeTopics} to add partitions"
                : requirement.Role == TopicRole.Changelog
                    ? "the changelog belongs to another input; give the pipeline another name"
                : "partitions cannot be taken away: use another topic"
        );
    }

    private static void Property(
        string where,
        string topic,
        ConfigRequirement requirement,
        TopicFacts actual,
        FindingList findings
    )
    {
        // A property that the broker does not know (before.max.ms came with Kafka 3.6) cannot be wrong.
        if (
            actual.Configs!.TryGetValue(requirement.Name, out string? value)
            && !requirement.Accepts(value)
        )
        {
            var finding = new Finding(
                requirement.Severity,
                where,
                $"{topic} has {requirement.Name}={value}: {requirement.Why}",
                $"{MakeTopics}, or set {requirement.Name}={requirement.Wanted}"
            );
            findings.Add([finding]);
        }
    }

    private static void Durability(
        string where,
        string topic,
        TopicFacts actual,
        int brokers,
        FindingList findings
    )
    {
        int minInsync = int.TryParse(
            actual.Configs!.GetValueOrDefault("min.insync.replicas"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out int parsed
        )
            ? parsed
            : 1;
        if (minInsync > actual.Replicas)
        {
            findings.Error(
                where,
                $"{topic} has min.insync.replicas={minInsync} with {actual.Replicas} replicas: every write would fail",
                $"set min.insync.replicas={TopicRequirements.MinInsyncFor(actual.Replicas)}"
            );
        }
        else if (actual.Replicas == 1 && brokers > 1)
        {
            findings.Warning(
                where,
                $"{topic} has one replica: a lost disk loses acknowledged records, and with them the guarantee",
                "raise its replication factor to 3"
            );
        }
        else if (actual.Replicas > 2 && minInsync == 1)
        {
            findings.Warning(
                where,
                $"{topic} has min.insync.replicas=1: a record can be acknowledged by one broker and lost with it, which voids the guarantee",
                $"{MakeTopics}, or set min.insync.replicas={TopicRequirements.MinInsyncFor(actual.Replicas)}"
            );
        }

        if (actual.Configs!.GetValueOrDefault("unclean.leader.election.enable") == "true")
        {
            findings.Warning(
                where,
                $"{topic} has unclean.leader.election.enable=true: a replica that lags may become leader and drop acknowledged records",
                "set unclean.leader.election.enable=false"
            );
        }
    }

    private static bool Rights(
        string where,
        string role,
        TopicFacts topic,
        string[] needed,
        FindingList findings
    )
    {
        if (topic.Denied is { } denied)
        {
            findings.Error(
                where,
                $"{role} topic '{topic.Name}' may not be seen: {denied}",
                $"allow {string.Join(", ", needed)}, DESCRIBE, and DESCRIBE_CONFIGS on it to this user"
            );
            return false;
        }

        string[] missing = topic.Allowed is null
            ? []
            : [.. needed.Where(n => !topic.Allowed.Contains(n))];
        if (missing.Length > 0)
        {
            findings.Error(
                where,
                $"this user may not {string.Join(" and ", missing)} on {role} topic '{topic.Name}'",
                $"allow {string.Join(", ", missing)} on it to this user"
            );
        }

        return true;
    }

    private static void Group(
        DedupConfig config,
        PipelineSpec spec,
        ClusterFacts facts,
        FindingList findings
    )
    {
        if (
            facts.Groups.GetValueOrDefault(spec.Group) is { } group
            && (
                group.Denied is not null
                || (group.Allowed is not null && !group.Allowed.Contains("READ"))
            )
        )
        {
            findings.Error(
                config.PlaceOf($"pipelines.{spec.Name}").ToString(),
                $"this user may not READ consumer group '{spec.Group}'",
                "allow READ on the group to this user"
            );
        }

        if (facts.TransactionsDenied.TryGetValue(spec.Name, out string? denied))
        {
            string prefix = TransactionProbe.PrefixOf(spec);
            findings.Error(
                config.PlaceOf($"pipelines.{spec.Name}").ToString(),
                $"this user may not use the transactional ids '{prefix}*': {denied}",
                $"allow WRITE and DESCRIBE on transactional ids with the prefix '{prefix}' to this user"
            );
        }
    }

    private static void ClientLimit(DedupConfig config, TopicFacts input, FindingList findings)
    {
        long inputBytes = long.TryParse(
            input.Configs?.GetValueOrDefault("max.message.bytes"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out long parsed
        )
            ? parsed
            : 0;
        if (
            long.TryParse(
                config.Kafka["message.max.bytes"],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out long limit
            )
            && limit < inputBytes
        )
        {
            findings.Error(
                config.PlaceOf("kafka.message.max.bytes").ToString(),
                $"'kafka.message.max.bytes' is {limit}, but input topic '{input.Name}' takes records of {inputBytes} bytes",
                $"write at least {inputBytes}, or leave it out"
            );
        }
    }
}
