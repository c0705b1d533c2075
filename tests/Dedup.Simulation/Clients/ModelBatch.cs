using Dedup.Simulation.Broker;
using Dedup.Topology.Records;

namespace Dedup.Simulation.Clients;

/// <summary>Records polled from a model log. Reading after <see cref="Release"/> throws, so that a lane that keeps memory is found out.</summary>
public sealed class ModelBatch : RecordBatch
{
    private readonly List<(int Partition, LogEntry Entry)> _records = [];
    private readonly HashSet<int> _handedOver = [];
    private bool _released;

    /// <summary>Adds a record.</summary>
    public void Add(int partition, LogEntry entry) => _records.Add((partition, entry));

    /// <inheritdoc/>
    public override int Count => _records.Count;

    /// <summary>Whether it has been given back.</summary>
    public bool IsReleased => _released;

    /// <summary>The record itself, for the sink.</summary>
    public ModelRecord Record(int index) => At(index).Entry.Record!;

    /// <summary>From now on its headers cannot be read: they belong to the sink.</summary>
    public void HandOverHeaders(int index)
    {
        if (!_handedOver.Add(index))
        {
            throw new InvalidOperationException($"record {index} of the batch was forwarded twice");
        }
    }

    /// <inheritdoc/>
    public override void Get(int index, out RecordView record)
    {
        (int partition, LogEntry entry) = At(index);
        ModelRecord r = entry.Record!;
        record = new RecordView(
            this,
            index,
            r.Key,
            r.Key is null,
            r.Value,
            r.Value is null,
            r.TimestampMs,
            partition,
            entry.Offset
        );
    }

    /// <inheritdoc/>
    public override int PartitionOf(int index) => At(index).Partition;

    /// <inheritdoc/>
    public override long OffsetOf(int index) => At(index).Entry.Offset;

    /// <inheritdoc/>
    public override int HeaderCount(int index) => Readable(index).Length;

    /// <inheritdoc/>
    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        ModelHeader h = Readable(index)[header];
        name = h.Name;
        value = h.Value;
        isNull = h.Value is null;
    }

    /// <inheritdoc/>
    public override void Release() => _released = true;

    private ModelHeader[] Readable(int index)
    {
        if (_handedOver.Contains(index))
        {
            throw new InvalidOperationException(
                $"headers of record {index} were read after they were handed over"
            );
        }

        return At(index).Entry.Record!.Headers;
    }

    private (int Partition, LogEntry Entry) At(int index)
    {
        ObjectDisposedException.ThrowIf(_released, this);
        return _records[index];
    }
}
