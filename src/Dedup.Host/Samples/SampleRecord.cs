using System.Text;
using Dedup.Topology.Records;

namespace Dedup.Host.Samples;

/// <summary>A header of a record that was written down. Names are text, values bytes or null.</summary>
/// <param name="Name">Name.</param>
/// <param name="Value">Value; null is a null value.</param>
public sealed record SampleHeader(string Name, byte[]? Value);

/// <summary>A record that was written down: a line of standard input, or what a test makes up.</summary>
public sealed record SampleRecord
{
    /// <summary>Key; null for none.</summary>
    public byte[]? Key { get; init; }

    /// <summary>Value; null for a tombstone.</summary>
    public byte[]? Value { get; init; }

    /// <summary>Headers in their order.</summary>
    public IReadOnlyList<SampleHeader> Headers { get; init; } = [];

    /// <summary>Timestamp in ms since the epoch; -1 for none.</summary>
    public long TimestampMs { get; init; } = -1;

    /// <summary>Partition; 0 when nothing is said of it.</summary>
    public int Partition { get; init; }

    /// <summary>Offset; 0 when nothing is said of it.</summary>
    public long Offset { get; init; }
}

/// <summary>Records in managed memory as a batch, so that the core reads them as it reads those of Kafka.</summary>
public sealed class SampleBatch(IReadOnlyList<SampleRecord> records) : RecordBatch
{
    /// <inheritdoc/>
    public override int Count => records.Count;

    /// <inheritdoc/>
    public override void Get(int index, out RecordView record)
    {
        SampleRecord source = records[index];
        record = new RecordView(
            this,
            index,
            source.Key,
            source.Key is null,
            source.Value,
            source.Value is null,
            source.TimestampMs,
            source.Partition,
            source.Offset
        );
    }

    /// <inheritdoc/>
    public override int PartitionOf(int index) => records[index].Partition;

    /// <inheritdoc/>
    public override long OffsetOf(int index) => records[index].Offset;

    /// <inheritdoc/>
    public override int HeaderCount(int index) => records[index].Headers.Count;

    /// <inheritdoc/>
    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        SampleHeader source = records[index].Headers[header];
        name = Encoding.UTF8.GetBytes(source.Name);
        value = source.Value;
        isNull = source.Value is null;
    }

    /// <inheritdoc/>
    public override void Release() { }
}
