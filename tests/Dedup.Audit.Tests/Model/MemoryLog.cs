using System.Text;
using Dedup.Audit.Logs;
using Dedup.Topology.Records;

namespace Dedup.Audit.Tests.Model;

/// <summary>A record of a topic in memory.</summary>
internal sealed record Row(
    long Offset,
    byte[]? Key,
    byte[]? Value,
    long Ts,
    (string Name, byte[]? Value)[] Headers
)
{
    public static Row Of(string? key, string? value, long ts, params (string, byte[]?)[] headers) =>
        new(0, Bytes(key), Bytes(value), ts, headers);

    public static byte[]? Bytes(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    public string? KeyText => Key is null ? null : Encoding.UTF8.GetString(Key);
}

/// <summary>A topic in memory. Offsets are given at Add; holes are what compaction, aborts, and control records leave.</summary>
internal sealed class MemoryLog(string topic, int partitions) : ITopicLog
{
    private readonly List<Row>[] _rows =
    [
        .. Enumerable.Range(0, partitions).Select(_ => new List<Row>()),
    ];
    private readonly long[] _low = new long[partitions];
    private readonly long[] _high = new long[partitions];

    public string Topic => topic;
    public int Partitions => partitions;
    public bool IsCompacted { get; set; }

    /// <summary>Offset at which an open transaction begins; what follows cannot be read.</summary>
    public long LastStable { get; set; } = long.MaxValue;

    public LogRange RangeOf(int partition) => new(_low[partition], _high[partition]);

    public long Add(Row row, int partition = 0, int skip = 0)
    {
        long offset = _high[partition] + skip;
        _rows[partition].Add(row with { Offset = offset });
        _high[partition] = offset + 1;
        return offset;
    }

    public void DeleteBefore(long offset, int partition = 0)
    {
        _low[partition] = offset;
        _ = _rows[partition].RemoveAll(r => r.Offset < offset);
    }

    public void Compact(Predicate<Row> gone, int partition = 0)
    {
        IsCompacted = true;
        _ = _rows[partition].RemoveAll(gone);
    }

    public IReadOnlyList<Row> Rows(int partition = 0) => _rows[partition];

    public IRecordStream Open(
        int partition,
        long from,
        long to,
        bool waitForPending,
        CancellationToken cancellation
    ) => new Stream(_rows[partition], partition, from, to, LastStable);

    public void Dispose() { }

    private sealed class Stream(List<Row> rows, int partition, long from, long to, long lastStable)
        : IRecordStream
    {
        private int _next = rows.FindIndex(r => r.Offset >= from);

        public long Position { get; private set; } = from;
        public bool IsComplete => Position >= to;

        public RecordBatch? Next()
        {
            var page = new List<Row>();
            long end = Math.Min(to, lastStable);
            for (
                ;
                _next >= 0 && _next < rows.Count && page.Count < 100 && rows[_next].Offset < end;
                _next++
            )
            {
                page.Add(rows[_next]);
            }

            Position = page.Count == 0 ? Math.Max(Position, end) : page[^1].Offset + 1;
            return page.Count == 0 ? null : new MemoryBatch(page, partition);
        }

        public void Dispose() { }
    }
}

internal sealed class MemoryBatch(List<Row> rows, int partition) : RecordBatch
{
    public override int Count => rows.Count;

    public override void Get(int index, out RecordView record)
    {
        Row row = rows[index];
        record = new RecordView(
            this,
            index,
            row.Key,
            row.Key is null,
            row.Value,
            row.Value is null,
            row.Ts,
            partition,
            row.Offset
        );
    }

    public override int PartitionOf(int index) => partition;

    public override long OffsetOf(int index) => rows[index].Offset;

    public override int HeaderCount(int index) => rows[index].Headers.Length;

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        (string n, byte[]? v) = rows[index].Headers[header];
        name = Encoding.UTF8.GetBytes(n);
        value = v;
        isNull = v is null;
    }

    public override void Release() { }
}
