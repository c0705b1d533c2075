using System.Collections.Immutable;
using System.Globalization;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Contracts.Rekey;
using Dedup.Host.Changelog;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Tests.Configuration;
using Dedup.Host.Tests.Guards;
using Dedup.Host.Topics;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Tests.Topics;

/// <summary>partitioning: by-id in configuration, topics, guards, and what is printed: 4 input partitions, 6 between the hops.</summary>
public sealed class ByIdTopicsTests
{
    private const string Lines =
        "partitioning: by-id\nrepartition: { partitions: 6 }\nidle-timeout: 90s";

    private static readonly DedupConfig Config = Load.Good(Load.WithPipelineLines(Lines));

    private static readonly ClusterFacts Good = Facts.Good with
    {
        Topics = Facts
            .Good.Topics.SetItem(
                "dedup-orders-changelog",
                Facts.Topic("dedup-orders-changelog", ("cleanup.policy", "compact")) with
                {
                    Partitions = 6,
                }
            )
            .Add(
                "dedup-orders-rekey-changelog",
                Facts.Topic("dedup-orders-rekey-changelog", ("cleanup.policy", "compact"))
            )
            .Add(
                "dedup-orders-repartition",
                Facts.Topic(
                    "dedup-orders-repartition",
                    ("retention.ms", "-1"),
                    ("retention.bytes", "-1"),
                    ("max.message.bytes", "2000000")
                ) with
                {
                    Partitions = 6,
                }
            ),
    };

    [Fact]
    public void The_settings_reach_the_pipeline()
    {
        PipelineSpec spec = Load.Pipeline(Lines);
        (spec.Partitioning, spec.RepartitionPartitions, spec.IdleTimeoutMs).ShouldBe(
            (Partitioning.ById, 6, 90_000L)
        );
        PipelineSpec byInput = Load.Pipeline("");
        (byInput.Partitioning, byInput.IdleTimeoutMs).ShouldBe((Partitioning.ByInput, 300_000L));
        spec.StateVersion.ShouldNotBe(byInput.StateVersion);
    }

    [Theory]
    [InlineData("clean: dedup-orders-repartition")]
    [InlineData("clean: dedup-orders-rekey-changelog")]
    public void An_internal_topic_cannot_be_an_output(string line)
    {
        ConfigResult result = Load.Text(
            Load.Minimal.Replace("clean: orders.clean", line, StringComparison.Ordinal)
        );
        result.Findings.ShouldContain(static f =>
            f.Fix.Contains("is the pipeline's own", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_pipeline_whose_names_the_first_hop_takes_is_refused()
    {
        string second = "  orders-rekey:\n    input: x\n    clean: y\n    id: key\n";
        Load.Text(Load.WithPipelineLines(Lines) + second)
            .Findings.ShouldContain(static f =>
                f.What.Contains("would share group and changelog", StringComparison.Ordinal)
            );
    }

    [Fact]
    public void Good_topics_have_no_findings_and_are_kept()
    {
        ClusterGuards.Judge(Config, Good).ShouldBeEmpty();
        TopicPlanner
            .Plan(Config, Good, default)
            .ShouldAllBe(static p => p.Action == PlanAction.Keep);
    }

    [Fact]
    public void Three_topics_more_are_made_each_with_its_own_number_of_partitions()
    {
        ClusterFacts none = Facts.Good with { Topics = Facts.Good.Topics.Clear() };
        ImmutableArray<TopicPlan> plans = TopicPlanner.Plan(Config, none, new PlanOptions(4, null));
        plans
            .OrderBy(static p => p.Topic, StringComparer.Ordinal)
            .Select(static p => (p.Topic, p.PartitionsTo))
            .ShouldBe([
                ("dedup-orders-changelog", 6),
                ("dedup-orders-rekey-changelog", 4),
                ("dedup-orders-repartition", 6),
                ("orders", 4),
                ("orders.clean", 4),
                ("orders.quarantine", 4),
            ]);
        TopicPlan between = plans.Single(static p => p.Topic == "dedup-orders-repartition");
        between.Configs.ShouldContain(new ConfigChange("retention.ms", null, "-1"));
        between.Configs.ShouldContain(new ConfigChange("cleanup.policy", null, "delete"));
    }

    [Fact]
    public void The_number_of_partitions_between_the_hops_is_never_changed()
    {
        DedupConfig other = Load.Good(
            Load.WithPipelineLines("partitioning: by-id\nrepartition: { partitions: 8 }")
        );
        TopicPlan plan = TopicPlanner
            .Plan(other, Good, default)
            .Single(static p => p.Topic == "dedup-orders-repartition");
        plan.Action.ShouldBe(PlanAction.Refuse);
        plan.Problem!.ShouldContain("set 'repartition: { partitions: 6 }'");
        ClusterGuards
            .Judge(other, Good)
            .ShouldContain(static f =>
                f.Severity == Severity.Error
                && f.What.Contains("has 6 partitions, not 8", StringComparison.Ordinal)
            );
    }

    [Theory]
    [InlineData("retention.ms", "604800000")]
    [InlineData("retention.bytes", "1000000")]
    [InlineData("cleanup.policy", "compact")]
    public void A_repartition_topic_that_may_lose_records_is_refused(string name, string value)
    {
        ClusterFacts facts = Good with
        {
            Topics = Good.Topics.SetItem(
                "dedup-orders-repartition",
                Good.Topics["dedup-orders-repartition"] with
                {
                    Configs = Good.Topics["dedup-orders-repartition"].Configs!.SetItem(name, value),
                }
            ),
        };
        ClusterGuards
            .Judge(Config, facts)
            .ShouldContain(f =>
                f.Severity == Severity.Error
                && f.What.Contains($"has {name}={value}", StringComparison.Ordinal)
            );
    }

    [Fact]
    public void An_entry_is_printed_with_partition_and_offset_of_the_input()
    {
        byte[] bytes = new byte[200];
        var chunk = new ChunkWriter(bytes, 1_000, withTags: false, withFingerprints: false);
        chunk
            .TryAdd(new EventKey(1, 2), new SeenEntry(1_000, SourcePlace.Pack(3, 4_711), 0, 0))
            .ShouldBeTrue();
        byte[] key = new byte[ChunkKey.Size];
        new ChunkKey(new BucketId(0, 1), 0).Write(key);
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        new ChangelogPrinter(output, ids: true, isById: true).Text(
            new ChangelogRecord(0, 1_000, key, bytes[..chunk.Length])
        );
        output.ToString().ShouldContain("input partition 3 offset 4711");
        output.ToString().ShouldNotContain("input offsets");
    }
}
