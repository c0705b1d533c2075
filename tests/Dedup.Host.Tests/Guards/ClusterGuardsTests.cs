using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Tests.Configuration;

namespace Dedup.Host.Tests.Guards;

public sealed class ClusterGuardsTests
{
    [Fact]
    public void A_cluster_as_it_should_be_gives_no_finding() =>
        ClusterGuards.Judge(Facts.Config, Facts.Good).ShouldBeEmpty();

    [Fact]
    public void Append_time_needs_a_topic_that_has_it()
    {
        DedupConfig config = Load.Good(Load.WithPipelineLines("time: append"));
        ClusterGuards
            .Judge(config, Facts.Good)
            .ShouldSay(
                "dedup.yaml:8",
                "'time: append' needs the broker's time in 'orders', whose records carry the producers'",
                "message.timestamp.type=LogAppendTime"
            );
        ClusterGuards
            .Judge(config, Facts.With("orders", "message.timestamp.type", "LogAppendTime"))
            .ShouldBeEmpty();
    }

    [Fact]
    public void Headers_on_clean_records_need_room_there()
    {
        DedupConfig config = Load.Good(Load.WithPipelineLines("headers: standard"));
        ClusterGuards
            .Judge(config, Facts.Good)
            .ShouldSay("dedup.yaml:6", "max.message.bytes", "dedup topics --apply");
        ClusterGuards
            .Judge(config, Facts.With("orders.clean", "max.message.bytes", "1064972"))
            .ShouldBeEmpty();
    }

    [Theory]
    [InlineData("orders", "dedup.yaml:5", "input topic 'orders' does not exist", "--partitions N")]
    [InlineData(
        "orders.clean",
        "dedup.yaml:6",
        "clean topic 'orders.clean' does not exist",
        "dedup topics --apply"
    )]
    [InlineData(
        "orders.quarantine",
        "dedup.yaml:4",
        "quarantine topic 'orders.quarantine' does not exist",
        "dedup topics --apply"
    )]
    [InlineData(
        "dedup-orders-changelog",
        "dedup.yaml:4",
        "changelog topic 'dedup-orders-changelog' does not exist",
        "dedup topics --apply"
    )]
    public void Missing_topics(string topic, string where, string what, string fix) =>
        Judge(Facts.With(topic, static t => new TopicFacts { Name = t.Name, Exists = false }))
            .ShouldSay(where, what, fix);

    [Theory]
    [InlineData(
        "orders.clean",
        5,
        "clean topic 'orders.clean' has 5 partitions, the input 4",
        "use another topic"
    )]
    [InlineData("orders.clean", 3, "has 3 partitions, the input 4", "dedup topics --apply")]
    [InlineData("orders.quarantine", 3, "has 3 partitions, the input 4", "dedup topics --apply")]
    [InlineData(
        "dedup-orders-changelog",
        3,
        "has 3 partitions, the input 4",
        "dedup topics --apply"
    )]
    [InlineData("dedup-orders-changelog", 8, "has 8 partitions, the input 4", "another name")]
    public void Partition_counts_that_differ(string topic, int partitions, string what, string fix)
    {
        IReadOnlyList<Finding> found = Judge(
            Facts.With(topic, t => t with { Partitions = partitions })
        );
        found.Single().Severity.ShouldBe(Severity.Error);
        found.Single().What.ShouldContain(what);
        found.Single().Fix.ShouldContain(fix);
    }

    [Fact]
    public void More_partitions_of_the_quarantine_do_no_harm() =>
        Judge(Facts.With("orders.quarantine", static t => t with { Partitions = 9 }))
            .ShouldBeEmpty();

    [Theory]
    [InlineData(
        "dedup-orders-changelog",
        "cleanup.policy",
        "compact,delete",
        Severity.Error,
        "forget IDs"
    )]
    [InlineData("dedup-orders-changelog", "cleanup.policy", "delete", Severity.Error, "forget IDs")]
    [InlineData(
        "orders.clean",
        "max.message.bytes",
        "1000",
        Severity.Error,
        "would all be quarantined"
    )]
    [InlineData(
        "orders.quarantine",
        "max.message.bytes",
        "1048588",
        Severity.Warning,
        "headers are added here"
    )]
    [InlineData(
        "orders.clean",
        "message.timestamp.type",
        "LogAppendTime",
        Severity.Warning,
        "replace the records' timestamps"
    )]
    [InlineData(
        "orders.clean",
        "message.timestamp.before.max.ms",
        "1000",
        Severity.Warning,
        "refuse old records"
    )]
    [InlineData(
        "orders.clean",
        "message.timestamp.after.max.ms",
        "3600000",
        Severity.Warning,
        "max-future (1h)"
    )]
    [InlineData(
        "orders.clean",
        "cleanup.policy",
        "compact",
        Severity.Warning,
        "compaction would remove"
    )]
    [InlineData(
        "orders.clean",
        "min.insync.replicas",
        "1",
        Severity.Warning,
        "voids the guarantee"
    )]
    [InlineData(
        "orders.clean",
        "min.insync.replicas",
        "4",
        Severity.Error,
        "every write would fail"
    )]
    [InlineData(
        "orders.clean",
        "unclean.leader.election.enable",
        "true",
        Severity.Warning,
        "drop acknowledged records"
    )]
    public void Topic_properties(
        string topic,
        string name,
        string value,
        Severity severity,
        string what
    )
    {
        Finding finding = Judge(Facts.With(topic, name, value)).Single();
        finding.Severity.ShouldBe(severity);
        finding.What.ShouldContain($"{name}={value}");
        finding.What.ShouldContain(what);
        finding.Fix.ShouldContain(name);
    }

    [Fact]
    public void A_property_that_the_broker_does_not_know_cannot_be_wrong() =>
        Judge(
                Facts.With(
                    "orders.clean",
                    static t =>
                        t with
                        {
                            Configs = t.Configs!.Remove("message.timestamp.after.max.ms"),
                        }
                )
            )
            .ShouldBeEmpty();

    [Fact]
    public void Rights_that_are_missing_are_named()
    {
        Judge(Facts.With("orders", static t => t with { Denied = "no" }))
            .ShouldSay("dedup.yaml:5", "may not be seen: no", "allow READ, DESCRIBE");
        Judge(Facts.With("orders.clean", static t => t with { Allowed = ["READ"] }))
            .ShouldSay("dedup.yaml:6", "may not WRITE on clean topic", "allow WRITE");
        Judge(Facts.With("orders", static t => t with { Allowed = ["READ"] })).ShouldBeEmpty();
        Judge(
                Facts.Good with
                {
                    Groups = Facts.Good.Groups.Add(
                        "dedup-orders",
                        new GroupFacts("dedup-orders", null, ["DESCRIBE"])
                    ),
                }
            )
            .ShouldSay("dedup.yaml:4", "may not READ consumer group 'dedup-orders'", "allow READ");
    }

    [Fact]
    public void One_replica_and_one_broker_are_warned_of()
    {
        Judge(Facts.With("orders.clean", "min.insync.replicas", "1") with { Brokers = 1 })
            .ShouldContain(static f =>
                f.What.Contains("one broker", StringComparison.Ordinal)
                && f.Severity == Severity.Warning
            );
        Judge(
                Facts.With(
                    "orders.clean",
                    static t =>
                        t with
                        {
                            Replicas = 1,
                            Configs = t.Configs!.SetItem("min.insync.replicas", "1"),
                        }
                )
            )
            .Single()
            .What.ShouldContain("has one replica");
    }

    [Fact]
    public void All_findings_come_at_once()
    {
        ClusterFacts facts = Facts.Good with { Topics = Facts.Good.Topics.Clear() };
        Judge(facts).Count.ShouldBe(4);
    }

    private static IReadOnlyList<Finding> Judge(ClusterFacts facts) =>
        ClusterGuards.Judge(Facts.Config, facts);
}
