using Dedup.Contracts.Rekey;
using Dedup.Topology.Records;

namespace Dedup.Topology.Rekey;

/// <summary>
/// Records of the repartition topic as they were on the input: partition, offset, timestamp, and key are the original ones,
/// value and headers are where they lie. A view over the batch that was polled; reused from batch to batch.
/// </summary>
/// <remarks>Hot path: no allocation once its array has grown.</remarks>
public sealed class OriginalBatch : RecordBatch
{
    private RekeyEnvelope[] _envelopes = new RekeyEnvelope[1024];
    private bool[] _isForeign = new bool[1024];
    private RecordBatch? _inner;

    /// <summary>The batch that was polled.</summary>
    public RecordBatch Inner =>
        _inner ?? throw new InvalidOperationException("No batch is being looked at.");

    /// <inheritdoc/>
    public override int Count => Inner.Count;

    /// <summary>Looks at some records of a batch; only those may be asked for.</summary>
    public void Open(RecordBatch inner, int from, int count)
    {
        _inner = inner;
        if (_envelopes.Length < inner.Count)
        {
            _envelopes = new RekeyEnvelope[inner.Count];
            _isForeign = new bool[inner.Count];
        }

        for (int i = from; i < from + count; i++)
        {
            inner.Get(i, out RecordView record);
            _isForeign[i] = !RekeyEnvelope.TryRead(record.Key, out _envelopes[i]);
        }
    }

    /// <summary>Whether somebody else than the first hop wrote the record: it has no original.</summary>
    public bool IsForeign(int index) => _isForeign[index];

    /// <summary>What the first hop says of a record.</summary>
    public ref readonly RekeyEnvelope EnvelopeOf(int index) => ref _envelopes[index];

    /// <summary>When the first hop wrote the record, in ms of its wall clock.</summary>
    public long WrittenMsOf(int index) => Inner.TimestampOf(index);

    /// <summary>Partition and offset as they are remembered, see <see cref="SourcePlace"/>.</summary>
    public long PlaceOf(int index) =>
        SourcePlace.Pack(_envelopes[index].Partition, _envelopes[index].Offset);

    /// <inheritdoc/>
    public override void Get(int index, out RecordView record)
    {
        Inner.Get(index, out RecordView lying);
        if (_isForeign[index])
        {
            record = lying;
            return;
        }

        ref readonly RekeyEnvelope envelope = ref _envelopes[index];
        record = new RecordView(
            this,
            index,
            lying.Key[RekeyEnvelope.Size..],
            envelope.KeyIsNull,
            lying.Value,
            lying.ValueIsNull,
            envelope.TimestampMs,
            envelope.Partition,
            envelope.Offset
        );
    }

    /// <inheritdoc/>
    public override int PartitionOf(int index) =>
        _isForeign[index] ? Inner.PartitionOf(index) : _envelopes[index].Partition;

    /// <inheritdoc/>
    public override long OffsetOf(int index) =>
        _isForeign[index] ? Inner.OffsetOf(index) : _envelopes[index].Offset;

    /// <inheritdoc/>
    public override int LogPartitionOf(int index) => Inner.PartitionOf(index);

    /// <inheritdoc/>
    public override long LogOffsetOf(int index) => Inner.OffsetOf(index);

    /// <inheritdoc/>
    public override long TimestampOf(int index) =>
        _isForeign[index] ? Inner.TimestampOf(index) : _envelopes[index].TimestampMs;

    /// <inheritdoc/>
    public override int SizeOf(int index) =>
        Inner.SizeOf(index) - (_isForeign[index] ? 0 : RekeyEnvelope.Size);

    /// <inheritdoc/>
    public override int HeaderCount(int index) => Inner.HeaderCount(index);

    /// <inheritdoc/>
    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    ) => Inner.GetHeader(index, header, out name, out value, out isNull);

    /// <inheritdoc/>
    public override bool TryGetHeader(
        int index,
        ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value
    ) => Inner.TryGetHeader(index, name, out value);

    /// <summary>Gives the memory of the polled batch back.</summary>
    public override void Release() => _inner?.Release();
}
