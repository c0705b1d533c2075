using System.Buffers;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>
/// A changelog that says nothing, or has an end, up to which it is read when the test says so; or somebody writes a marker
/// into it whenever it is polled.
/// </summary>
internal sealed class FakeChangelog : IChangelogReader
{
    private readonly Dictionary<int, long> _positions = [];
    private long _written;

    /// <summary>The end of each partition; null while it is not known.</summary>
    public long? End { get; set; }

    /// <summary>Whether what is open is read to its end.</summary>
    public bool IsRead { get; set; }

    /// <summary>How many markers are still written into partition 0, each with the next input offset, beginning with 1.</summary>
    public long ToWrite { get; set; }

    /// <summary>Input offset of the last one written.</summary>
    public long Written => _written;

    /// <summary>Where each partition was opened, in turn.</summary>
    public List<(int Partition, long From)> Opened { get; } = [];

    public BoundsLookup Bounds(int partition, int timeoutMs) =>
        (End ?? (ToWrite + _written > 0 ? _written + Math.Min(ToWrite, 1) : null)) is { } end
            ? new BoundsLookup(LookupStatus.Found, new LogBounds(0, end, end), null)
            : new BoundsLookup(LookupStatus.Pending, default, "silent");

    public void Open(int partition, long fromOffset)
    {
        Opened.Add((partition, fromOffset));
        _positions[partition] = fromOffset;
    }

    public void Close(int partition) => _ = _positions.Remove(partition);

    public RecordBatch Poll(int maxRecords, int timeoutMs)
    {
        if (ToWrite == 0 || !_positions.ContainsKey(0))
        {
            return new LaneUnderTest.NoRecords();
        }

        ToWrite--;
        return new OneMarker(LaneUnderTest.MarkerAt(++_written), _written - 1);
    }

    public long Position(int partition) =>
        IsRead ? End ?? 0
        : End is null ? _written
        : _positions.GetValueOrDefault(partition);

    public void Dispose() { }
}

file sealed class OneMarker : HeaderlessBatch
{
    private readonly byte[] _value;
    private readonly long _offset;

    public OneMarker(Marker marker, long offset)
    {
        var bytes = new ArrayBufferWriter<byte>();
        MarkerCodec.Write(marker, bytes);
        _value = bytes.WrittenSpan.ToArray();
        _offset = offset;
    }

    public override int Count => 1;

    public override void Get(int index, out RecordView record) =>
        record = new RecordView(this, index, MarkerCodec.Key, false, _value, false, 0, 0, _offset);

    public override int PartitionOf(int index) => 0;

    public override long OffsetOf(int index) => _offset;
}
