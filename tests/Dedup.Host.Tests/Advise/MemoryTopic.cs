using System.Text;
using Dedup.Audit.Logs;
using Dedup.Host.Advise;
using Dedup.Host.Samples;
using Dedup.Topology.Records;

namespace Dedup.Host.Tests.Advise;

/// <summary>A topic in memory.</summary>
internal sealed class MemoryTopic(int partitions) : ITopicLog
{
    /// <summary>The time of the first record, if a test does not say otherwise.</summary>
    public const long Start = 1_700_000_000_000;

    private const int BatchRecords = 100;

    private readonly List<SampleRecord>[] _records =
    [
        .. Enumerable.Range(0, partitions).Select(static _ => new List<SampleRecord>()),
    ];

    public string Topic => "orders";

    public int Partitions => partitions;

    public bool IsCompacted => false;

    public int Count => _records.Sum(static r => r.Count);

    public void Add(
        long timestampMs,
        string? value,
        string? key = null,
        int partition = 0,
        params (string Name, string Value)[] headers
    ) =>
        _records[partition]
            .Add(
                new SampleRecord
                {
                    Key = key is null ? null : Encoding.UTF8.GetBytes(key),
                    Value = value is null ? null : Encoding.UTF8.GetBytes(value),
                    Headers =
                    [
                        .. headers.Select(static h => new SampleHeader(
                            h.Name,
                            Encoding.UTF8.GetBytes(h.Value)
                        )),
                    ],
                    TimestampMs = timestampMs,
                    Partition = partition,
                    Offset = _records[partition].Count,
                }
            );

    public LogRange RangeOf(int partition) => new(0, _records[partition].Count);

    public long[] OffsetsAt(long timestampMs) =>
        [
            .. _records.Select(r =>
                r.FindIndex(x => x.TimestampMs >= timestampMs) is var at and >= 0
                    ? (long)at
                    : r.Count
            ),
        ];

    public IRecordStream Open(
        int partition,
        long from,
        long to,
        bool waitForPending,
        CancellationToken cancellation
    ) => new Stream(_records[partition][(int)from..(int)to]);

    /// <summary>What the sample says.</summary>
    public SampleResult Read(int most = 1_000_000, params Candidate[] given) =>
        new SampleReader(this, OffsetsAt, Start + (30 * 86_400_000L)).Read(
            most,
            given,
            static (_, _) => { },
            TestContext.Current.CancellationToken
        );

    public void Dispose() { }

    private sealed class Stream(List<SampleRecord> records) : IRecordStream
    {
        private int _at;

        public long Position => _at;

        public bool IsComplete => _at == records.Count;

        public RecordBatch? Next()
        {
            int count = Math.Min(BatchRecords, records.Count - _at);
            if (count == 0)
            {
                return null;
            }

            _at += count;
            return new SampleBatch(records[(_at - count).._at]);
        }

        public void Dispose() { }
    }
}
