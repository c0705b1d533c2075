using System.Collections.Immutable;
using Dedup.Host.Guards;
using Dedup.Host.Running;

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
}
