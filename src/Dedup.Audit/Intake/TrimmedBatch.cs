using Dedup.Topology.Records;

namespace Dedup.Audit.Intake;

/// <summary>A batch in which one record has only its first headers: as it was before others were added.</summary>
internal sealed class TrimmedBatch : RecordBatch
{
    private RecordBatch? _inner;
    private int _headers;

    /// <inheritdoc/>
    public override int Count => Inner.Count;

    private RecordBatch Inner =>
        _inner ?? throw new InvalidOperationException("No record is being looked at.");

    /// <summary>The record with its first headers only; valid until the next call.</summary>
    public RecordView Of(in RecordView record, int headers)
    {
        _inner = record.Batch;
        _headers = headers;
        return new RecordView(
            this,
            record.Index,
            record.Key,
            record.KeyIsNull,
            record.Value,
            record.ValueIsNull,
            record.TimestampMs,
            record.Partition,
            record.Offset
        );
    }

    /// <inheritdoc/>
    public override void Get(int index, out RecordView record) => Inner.Get(index, out record);

    /// <inheritdoc/>
    public override int PartitionOf(int index) => Inner.PartitionOf(index);

    /// <inheritdoc/>
    public override long OffsetOf(int index) => Inner.OffsetOf(index);

    /// <inheritdoc/>
    public override int HeaderCount(int index) => _headers;

    /// <inheritdoc/>
    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    ) => Inner.GetHeader(index, header, out name, out value, out isNull);

    /// <summary>Not its business: the batch is released by whoever polled it.</summary>
    public override void Release() => _inner = null;
}
