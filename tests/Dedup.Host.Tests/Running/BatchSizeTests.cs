using System.Collections.Immutable;
using Dedup.Host.Configuration;
using Dedup.Host.Guards;
using Dedup.Host.Running;
using Dedup.Host.Tests.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Tests.Running;

/// <summary>A topic's max.message.bytes is a limit of batches, too.</summary>
public sealed class BatchSizeTests
{
    [Theory]
    [InlineData("1048588", 1_000_000)]
    [InlineData("20000", 20_000)]
    [InlineData("0", 1)]
    [InlineData("much", 1_000_000)]
    [InlineData(null, 1_000_000)]
    public void A_batch_is_no_larger_than_any_topic_takes(string? limit, int expected)
    {
        ImmutableDictionary<string, string>? configs = limit is null
            ? null
            : ImmutableDictionary<string, string>.Empty.Add("max.message.bytes", limit);
        var facts = new ClusterFacts
        {
            Topics = new[]
            {
                new TopicFacts { Name = "in", Exists = true },
                new TopicFacts
                {
                    Name = "clean",
                    Exists = true,
                    Configs = configs,
                },
            }.ToImmutableDictionary(static t => t.Name),
        };

        Composition.BatchBytes(facts).ShouldBe(expected);
    }

    [Theory]
    [InlineData(null, 2_000, 3_000)]
    [InlineData("compression.type: none", 2_000, 3_000)]
    // Compressed, a record may be of any size.
    [InlineData("compression.type: lz4", 0, 0)]
    [InlineData("compression.codec: zstd", 0, 0)]
    public void What_clean_and_quarantine_take_is_known_unless_records_are_compressed(
        string? property,
        int clean,
        int quarantine
    )
    {
        DedupConfig config = Load.Good(
            $"""
            kafka:
              bootstrap.servers: k1:9092
              {property ?? "client.id: dedup"}
            pipelines:
              orders:
                input: in
                clean: out
                quarantine: bad
                id: key
                window: 24h
            """,
            ("HOME", "/home/u")
        );
        var facts = new ClusterFacts
        {
            Topics = new[] { Topic("out", "2000"), Topic("bad", "3000") }.ToImmutableDictionary(
                static t => t.Name
            ),
        };

        Composition
            .Limits(config, facts, config.Pipelines[0])
            .ShouldBe(new TopicLimits(clean, quarantine));
        Composition
            .Limits(config, new ClusterFacts(), config.Pipelines[0])
            .ShouldBe(default(TopicLimits));
    }

    private static TopicFacts Topic(string name, string limit) =>
        new()
        {
            Name = name,
            Exists = true,
            Configs = ImmutableDictionary<string, string>.Empty.Add("max.message.bytes", limit),
        };
}
