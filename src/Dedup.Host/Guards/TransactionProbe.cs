using System.Collections.Immutable;
using Confluent.Kafka;
using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Guards;

/// <summary>
/// Finds out whether this user may use the pipelines' transactional ids. No question tells (authorised operations are answered for
/// topics and groups only), so a producer is initialised under an id that no lane has: <c>dedup-NAME-check</c>, within the prefix
/// that the lanes' ids share.
/// </summary>
internal static class TransactionProbe
{
    /// <summary>The prefix of the transactional ids of a pipeline's lanes.</summary>
    public static string PrefixOf(PipelineSpec spec) => $"dedup-{spec.Name}-";

    /// <summary>
    /// Names of the pipelines whose transactional ids are refused, each with the broker's words. What could not be found out, for
    /// example because a coordinator is away, is not among them.
    /// </summary>
    public static async Task<ImmutableDictionary<string, string>> DeniedAsync(
        KafkaSettings kafka,
        IReadOnlyCollection<PipelineSpec> specs,
        TimeSpan timeout
    )
    {
        string?[] answers = await Task.WhenAll(
            specs.Select(spec => Task.Run(() => Ask(kafka, PrefixOf(spec) + "check", timeout)))
        );
        return specs
            .Zip(answers)
            .Where(static pair => pair.Second is not null)
            .ToImmutableDictionary(
                static pair => pair.First.Name,
                static pair => pair.Second!,
                StringComparer.Ordinal
            );
    }

    private static string? Ask(KafkaSettings kafka, string transactionalId, TimeSpan timeout)
    {
        try
        {
            using IProducer<Null, Null> producer = new ProducerBuilder<Null, Null>(
                new ProducerConfig(kafka.ToDictionary()) { TransactionalId = transactionalId }
            )
                .SetLogHandler(static (_, _) => { })
                .SetErrorHandler(static (_, _) => { })
                .Build();
            producer.InitTransactions(timeout);
            return null;
        }
        catch (KafkaException e)
        {
            return
                e.Error.Code
                    is ErrorCode.TransactionalIdAuthorizationFailed
                        or ErrorCode.ClusterAuthorizationFailed
                ? e.Error.Reason
                : null;
        }
    }
}
