namespace Dedup.Topology.Records;

/// <summary>
/// Records that were polled together. The memory behind them lives until <see cref="Release"/>; nothing of it may be
/// kept longer. Hot path: implementations allocate nothing per record.
/// </summary>
public abstract class RecordBatch
{
    /// <summary>Number of records.</summary>
    public abstract int Count { get; }

    /// <summary>The record at <paramref name="index"/>, 0 to <see cref="Count"/> - 1.</summary>
    public abstract void Get(int index, out RecordView record);

    /// <summary>Partition of the record at <paramref name="index"/>.</summary>
    public abstract int PartitionOf(int index);

    /// <summary>Offset of the record at <paramref name="index"/>.</summary>
    public abstract long OffsetOf(int index);

    /// <summary>
    /// Partition of the log that was polled. Another one than <see cref="PartitionOf"/> only where that log carries records
    /// of other logs.
    /// </summary>
    public virtual int LogPartitionOf(int index) => PartitionOf(index);

    /// <summary>Offset in the log that was polled.</summary>
    public virtual long LogOffsetOf(int index) => OffsetOf(index);

    /// <summary>Timestamp of the record at <paramref name="index"/>, as in <see cref="RecordView.TimestampMs"/>.</summary>
    public virtual long TimestampOf(int index)
    {
        Get(index, out RecordView record);
        return record.TimestampMs;
    }

    /// <summary>Bytes of key and value of the record at <paramref name="index"/>.</summary>
    public virtual int SizeOf(int index)
    {
        Get(index, out RecordView record);
        return record.Key.Length + record.Value.Length;
    }

    /// <summary>Number of headers of a record.</summary>
    public abstract int HeaderCount(int index);

    /// <summary>A header in the order in which the record carries them.</summary>
    /// <param name="index">The record.</param>
    /// <param name="header">The header, 0 to <see cref="HeaderCount"/> - 1.</param>
    /// <param name="name">Its name, UTF-8.</param>
    /// <param name="value">Its value, empty when null.</param>
    /// <param name="isNull">Whether the value is null.</param>
    public abstract void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    );

    /// <summary>The last header of that name with a value that is not null; false when there is none.</summary>
    public virtual bool TryGetHeader(
        int index,
        ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value
    )
    {
        for (int i = HeaderCount(index) - 1; i >= 0; i--)
        {
            GetHeader(index, i, out ReadOnlySpan<byte> candidate, out value, out bool isNull);
            if (!isNull && candidate.SequenceEqual(name))
            {
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Gives the memory back. Idempotent.</summary>
    public abstract void Release();
}

/// <summary>One record of a batch, as spans over memory that the batch owns.</summary>
public readonly ref struct RecordView
{
    /// <summary>Makes a view.</summary>
    public RecordView(
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        ReadOnlySpan<byte> value,
        bool valueIsNull,
        long timestampMs,
        int partition,
        long offset
    )
    {
        Batch = batch;
        Index = index;
        Key = key;
        KeyIsNull = keyIsNull;
        Value = value;
        ValueIsNull = valueIsNull;
        TimestampMs = timestampMs;
        Partition = partition;
        Offset = offset;
    }

    /// <summary>The batch that owns the memory.</summary>
    public readonly RecordBatch Batch;

    /// <summary>Index in the batch.</summary>
    public readonly int Index;

    /// <summary>Key, empty when null.</summary>
    public readonly ReadOnlySpan<byte> Key;

    /// <summary>Whether the key is null (an empty key is not).</summary>
    public readonly bool KeyIsNull;

    /// <summary>Value, empty when null.</summary>
    public readonly ReadOnlySpan<byte> Value;

    /// <summary>Whether the value is null: a tombstone.</summary>
    public readonly bool ValueIsNull;

    /// <summary>Timestamp in ms since the epoch, create time or log-append time; -1 when missing.</summary>
    public readonly long TimestampMs;

    /// <summary>Partition.</summary>
    public readonly int Partition;

    /// <summary>Offset.</summary>
    public readonly long Offset;
}
