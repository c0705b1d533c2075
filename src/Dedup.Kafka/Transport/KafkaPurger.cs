using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Transport;

/// <summary>DeleteRecords on a real Kafka, in the background.</summary>
internal sealed class KafkaPurger(ClientSettings settings, string topic, Action<string> trouble)
    : ILogPurger,
        IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly IAdminClient _admin = new AdminClientBuilder(settings.Admin())
        .SetLogHandler(static (_, _) => { })
        .Build();

    public void Purge(int partition, long beforeOffset) => _ = Delete(partition, beforeOffset);

    public void Dispose() => _admin.Dispose();

    private async Task Delete(int partition, long beforeOffset)
    {
        try
        {
            _ = await _admin
                .DeleteRecordsAsync(
                    [new TopicPartitionOffset(topic, partition, beforeOffset)],
                    new DeleteRecordsOptions
                    {
                        RequestTimeout = Timeout,
                        OperationTimeout = Timeout,
                    }
                )
                .ConfigureAwait(false);
        }
        catch (DeleteRecordsException e)
        {
            trouble(Text(partition, e.Results[0].Error.Reason));
        }
        catch (Exception e) when (e is KafkaException or ObjectDisposedException)
        {
            trouble(Text(partition, e.Message));
        }
    }

    private string Text(int partition, string why) =>
        $"{topic}-{partition}: judged records could not be deleted, the topic grows meanwhile: {why}; allow DELETE on it to this user.";
}
