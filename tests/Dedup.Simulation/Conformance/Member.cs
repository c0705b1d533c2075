using Dedup.Simulation.Broker;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Simulation.Conformance;

/// <summary>A member of the group that does as a lane does: seeks and resumes what it is given, after the poll that gave it.</summary>
public sealed class Member : IAssignmentListener
{
    private readonly List<int> _fresh = [];
    private readonly IClusterUnderTest _cluster;

    /// <summary>Joins the group.</summary>
    public Member(IClusterUnderTest cluster, IRecordSource source)
    {
        _cluster = cluster;
        Source = source;
        source.Subscribe(this);
    }

    /// <summary>The source.</summary>
    public IRecordSource Source { get; }

    /// <summary>Partitions that it has.</summary>
    public SortedSet<int> Owned { get; } = [];

    /// <summary>Partitions that were lost.</summary>
    public List<int> Lost { get; } = [];

    /// <summary>Faults heard of.</summary>
    public List<SourceFault> Faults { get; } = [];

    /// <summary>Records read, with their partitions.</summary>
    public List<(int Partition, PlacedRecord Placed)> Records { get; } = [];

    /// <summary>Where to begin in a partition that it is given; 0 for the log's start.</summary>
    public Func<int, long> StartAt { get; set; } = static _ => 0;

    /// <summary>Called inside a revocation.</summary>
    public Action? OnRevoke { get; set; }

    /// <summary>Whether what it is given is resumed.</summary>
    public bool IsResuming { get; set; } = true;

    /// <inheritdoc/>
    public void OnAssigned(ReadOnlySpan<int> partitions)
    {
        Owned.UnionWith(partitions.ToArray());
        _fresh.AddRange(partitions.ToArray());
    }

    /// <inheritdoc/>
    public void OnRevoked(ReadOnlySpan<int> partitions)
    {
        OnRevoke?.Invoke();
        Owned.ExceptWith(partitions.ToArray());
    }

    /// <inheritdoc/>
    public void OnLost(ReadOnlySpan<int> partitions)
    {
        Lost.AddRange(partitions.ToArray());
        Owned.ExceptWith(partitions.ToArray());
    }

    /// <inheritdoc/>
    public void OnFault(SourceFault fault, int partition, string detail)
    {
        if (fault != SourceFault.Transient)
        {
            Faults.Add(fault);
        }
    }

    /// <summary>Polls once and takes the records down.</summary>
    public int Poll(int maxRecords = 100, int timeoutMs = 20, Action<RecordBatch, int>? each = null)
    {
        RecordBatch batch = Source.Poll(maxRecords, timeoutMs);
        int count = batch.Count;
        for (int i = 0; i < count; i++)
        {
            Records.Add(
                (batch.PartitionOf(i), new PlacedRecord(batch.OffsetOf(i), Copy(batch, i)))
            );
            each?.Invoke(batch, i);
        }

        batch.Release();
        foreach (int partition in _fresh)
        {
            if (Owned.Contains(partition))
            {
                Source.Seek(partition, StartAt(partition));
                if (IsResuming)
                {
                    Source.Resume([partition]);
                }
            }
        }

        _fresh.Clear();
        _cluster.Pass();
        return count;
    }

    /// <summary>Polls until something holds.</summary>
    public void PollUntil(
        Func<bool> done,
        int timeoutMs = 40_000,
        Action<RecordBatch, int>? each = null
    )
    {
        long untilMs = _cluster.NowMs + timeoutMs;
        while (!done())
        {
            if (_cluster.NowMs > untilMs)
            {
                throw new TimeoutException(
                    $"did not happen within {timeoutMs} ms; owned: {string.Join(",", Owned)}, records: {Records.Count}"
                );
            }

            _ = Poll(each: each);
        }
    }

    /// <summary>Polls for a while.</summary>
    public void PollFor(int ms)
    {
        long untilMs = _cluster.NowMs + ms;
        while (_cluster.NowMs < untilMs)
        {
            _ = Poll();
        }
    }

    /// <summary>A record of a batch, copied.</summary>
    public static ModelRecord Copy(RecordBatch batch, int index)
    {
        batch.Get(index, out RecordView view);
        var headers = new ModelHeader[batch.HeaderCount(index)];
        for (int i = 0; i < headers.Length; i++)
        {
            batch.GetHeader(
                index,
                i,
                out ReadOnlySpan<byte> name,
                out ReadOnlySpan<byte> value,
                out bool isNull
            );
            headers[i] = new ModelHeader(name.ToArray(), isNull ? null : value.ToArray());
        }

        return new ModelRecord
        {
            Key = view.KeyIsNull ? null : view.Key.ToArray(),
            Value = view.ValueIsNull ? null : view.Value.ToArray(),
            Headers = headers,
            TimestampMs = view.TimestampMs,
        };
    }
}
