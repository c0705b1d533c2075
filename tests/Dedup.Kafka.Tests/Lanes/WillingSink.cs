using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>
/// Takes everything, and remembers whose offsets it was given. A record that the clean topic refuses shows at the commit, as with
/// a broker, and nobody says which one it was.
/// </summary>
internal class WillingSink : ITransactionalSink
{
    private readonly Dictionary<int, long> _offsets = [];
    private bool _isRefused;

    /// <summary>Member ids of the offsets that came, in turn.</summary>
    public List<string> OffsetsOf { get; } = [];

    /// <summary>Offsets committed, by partition.</summary>
    public Dictionary<int, long> Committed { get; } = [];

    /// <summary>Records of the input that the clean topic refuses.</summary>
    public HashSet<(int Partition, long Offset)> Refused { get; } = [];

    public string TransactionalId => "t";

    public TxResult Initialise(int timeoutMs) => TxResult.Ok;

    public TxResult Begin() => Forget();

    public virtual TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    )
    {
        _isRefused |=
            topic == SinkTopic.Clean
            && Refused.Contains((batch.PartitionOf(index), batch.OffsetOf(index)));
        return TxResult.Ok;
    }

    public TxResult ForwardAs(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        long timestampMs,
        AddedHeaders? added
    ) => Forward(topic, partition, batch, index, timestampMs, added);

    public virtual TxResult Send(
        SinkTopic topic,
        int partition,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long timestampMs,
        AddedHeaders? added
    ) => TxResult.Ok;

    public TxResult SendOffsets(
        ReadOnlySpan<PartitionOffset> offsets,
        GroupMembership membership,
        int timeoutMs
    )
    {
        OffsetsOf.Add(membership.MemberId);
        foreach (PartitionOffset offset in offsets)
        {
            _offsets[offset.Partition] = offset.Offset;
        }

        return TxResult.Ok;
    }

    public TxResult Commit(int timeoutMs)
    {
        if (_isRefused)
        {
            return new TxResult(TxOutcome.Refused, Reason.RefusedTimestamp, "refused");
        }

        foreach ((int partition, long offset) in _offsets)
        {
            Committed[partition] = offset;
        }

        return Forget();
    }

    public TxResult Abort(int timeoutMs) => Forget();

    public void Renew() { }

    public void Dispose() { }

    private TxResult Forget()
    {
        _isRefused = false;
        _offsets.Clear();
        return TxResult.Ok;
    }
}
