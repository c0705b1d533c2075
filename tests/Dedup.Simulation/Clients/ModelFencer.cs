using Dedup.Contracts.Changelog;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <summary>Finds and ends what a dead producer left pending.</summary>
public sealed class ModelFencer : IFencer
{
    private readonly ClientEnvironment _env;
    private readonly IReadOnlyList<string?> _topics;

    /// <summary>Makes a fencer; topics at the index of their <see cref="SinkTopic"/>.</summary>
    public ModelFencer(ClientEnvironment env, IReadOnlyList<string?> topics)
    {
        _env = env;
        _topics = topics;
    }

    /// <inheritdoc/>
    public PendingLookup Pending(SinkTopic topic, int partition, int timeoutMs)
    {
        _env.Enter(Point.FencerFence, (long)topic, partition);
        if (_topics[(int)topic] is not { } name || _env.Cluster.Log(name, partition) is not { } log)
        {
            return new PendingLookup(
                LookupStatus.Pending,
                false,
                $"{topic}/{partition} does not exist"
            );
        }

        if (!_env.WaitFor(log.UnavailableUntilMs, _env.World.NowMs + timeoutMs) || Fails())
        {
            return new PendingLookup(LookupStatus.Pending, false, "no answer");
        }

        bool isPending = log.LastStableOffset < log.HighWatermark;
        _env.Leave();
        return new PendingLookup(LookupStatus.Found, isPending, null);
    }

    /// <inheritdoc/>
    public WriterLookup PendingWriter(int partition, int timeoutMs)
    {
        _env.Enter(Point.FencerFence, -1, partition);
        if (
            Fails()
            || _env.Cluster.Log(_topics[(int)SinkTopic.Changelog]!, partition) is not { } log
        )
        {
            return new WriterLookup(LookupStatus.Pending, null);
        }

        string? writer = null;
        for (int i = log.IndexOf(log.LastStableOffset); i < log.Entries.Count; i++)
        {
            LogEntry entry = log.Entries[i];
            if (
                entry.Offset < log.HighWatermark
                && entry.Record is { Key: { } key, Value: { } value }
                && MarkerCodec.IsMarkerKey(key)
            )
            {
                writer = MarkerCodec.TryRead(value)?.Writer ?? writer;
            }
        }

        _env.Leave();
        return new WriterLookup(writer is null ? LookupStatus.None : LookupStatus.Found, writer);
    }

    /// <inheritdoc/>
    public TxResult Fence(string transactionalId, int timeoutMs)
    {
        _env.Enter(Point.FencerFence, -2, timeoutMs);
        if (Fails())
        {
            return new TxResult(TxOutcome.Retriable, Detail: "the fencer got no answer");
        }

        if (_env.World.Trace.On)
        {
            _env.World.Trace.Line(_env.World.NowMs, _env.Actor.Name, $"fences {transactionalId}");
        }

        BrokerError error = Producers.Initialise(
            _env,
            transactionalId,
            10_000,
            timeoutMs,
            out _,
            out _
        );
        _env.Leave();
        return error == BrokerError.None
            ? TxResult.Ok
            : new TxResult(TxOutcome.Retriable, Detail: $"{error}");
    }

    private bool Fails() => _env.Faults.Happens(FaultKind.FencerFails);
}
