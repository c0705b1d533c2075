using Confluent.Kafka;
using Dedup.Host.Configuration;

namespace Dedup.Host.Demo;

/// <summary>An order that was sent more than once, and where it is on the clean topic.</summary>
internal sealed record DemoExample(
    string Id,
    IReadOnlyList<TopicPartitionOffset> Input,
    IReadOnlyList<TopicPartitionOffset> Clean
);

/// <summary>Looks some repeated orders up on the clean topic, as a consumer there would see them.</summary>
internal static class DemoExamples
{
    private const int Shown = 3;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public static IReadOnlyList<DemoExample> Find(
        DedupConfig config,
        DemoPlan plan,
        IReadOnlyList<RepeatedOrder> repeated
    )
    {
        Dictionary<string, List<TopicPartitionOffset>> found = repeated
            .Where(static r => r.Copies.Count > 1)
            .Take(Shown)
            .ToDictionary(static r => r.Id, static _ => new List<TopicPartitionOffset>());
        Dictionary<string, string> properties = config.Kafka.ToDictionary();
        properties["group.id"] = "dedup-demo-reader";
        properties["enable.auto.commit"] = "false";
        properties["isolation.level"] = "read_committed";
        properties["enable.partition.eof"] = "true";
        using IConsumer<string, Ignore> consumer = new ConsumerBuilder<string, Ignore>(properties)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
        consumer.Assign(
            Enumerable
                .Range(0, DemoPlan.Partitions)
                .Select(p => new TopicPartitionOffset(
                    plan.Clean,
                    new Partition(p),
                    Offset.Beginning
                ))
        );
        int open = DemoPlan.Partitions;
        while (open > 0 && consumer.Consume(Timeout) is { } record)
        {
            if (record.IsPartitionEOF)
            {
                open--;
            }
            else if (found.TryGetValue(record.Message.Key, out List<TopicPartitionOffset>? places))
            {
                places.Add(record.TopicPartitionOffset);
            }
        }

        consumer.Close();
        return
        [
            .. found.Select(f => new DemoExample(
                f.Key,
                [.. repeated.First(r => r.Id == f.Key).Copies],
                f.Value
            )),
        ];
    }
}
