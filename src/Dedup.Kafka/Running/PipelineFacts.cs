using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Transport;
using Dedup.Topology.Pipelines;

namespace Dedup.Kafka.Running;

/// <summary>What the cluster says of a pipeline's input, asked once at the start.</summary>
internal static class PipelineFacts
{
    /// <summary>Cluster id, topic id, partition count. Throws KafkaException when the broker cannot be reached or the topic is missing.</summary>
    public static async Task<StateIdentity> ReadAsync(
        ClientSettings clients,
        PipelineSpec spec,
        TimeSpan timeout
    )
    {
        using IAdminClient admin = new AdminClientBuilder(clients.Admin())
            .SetLogHandler(static (_, _) => { })
            .Build();
        DescribeClusterResult cluster = await admin
            .DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = timeout })
            .ConfigureAwait(false);
        DescribeTopicsResult topics = await admin
            .DescribeTopicsAsync(
                TopicCollection.OfTopicNames([spec.Reads]),
                new DescribeTopicsOptions { RequestTimeout = timeout }
            )
            .ConfigureAwait(false);
        TopicDescription topic = topics.TopicDescriptions[0];
        if (topic.Error.IsError)
        {
            throw new KafkaException(topic.Error);
        }

        return new StateIdentity(
            cluster.ClusterId ?? "",
            topic.TopicId?.ToString() ?? "",
            topic.Partitions.Count,
            spec.StateVersion
        );
    }
}
