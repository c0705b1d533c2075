using Dedup.Topology.Records;

namespace Dedup.Topology.Ports;

/// <summary>The topics that a lane writes to.</summary>
public enum SinkTopic : byte
{
    /// <summary>First occurrences.</summary>
    Clean,

    /// <summary>Suppressed duplicates, if the pipeline keeps them.</summary>
    Duplicates,

    /// <summary>What could not be judged.</summary>
    Quarantine,

    /// <summary>The changelog of the state.</summary>
    Changelog,

    /// <summary>What the first hop of partitioning: by-id hands to the second.</summary>
    Repartition,
}

/// <summary>The rungs of the error ladder, lowest first. See docs/architecture.md.</summary>
public enum TxOutcome : byte
{
    /// <summary>Done.</summary>
    Ok,

    /// <summary>Nothing happened yet; the same call may be made again.</summary>
    Retriable,

    /// <summary>The transaction has to be aborted; the producer lives.</summary>
    Abortable,

    /// <summary>
    /// The broker or the client refuses one record for good. From <see cref="ITransactionalSink.Forward"/>: that one, and
    /// nothing of it was sent. From a later call: one of the transaction, which has to be aborted; a call to
    /// <see cref="ITransactionalSink.Forward"/> or Send that comes upon such a transaction says Abortable, with the reason.
    /// </summary>
    Refused,

    /// <summary>Another producer with the same transactional.id took over.</summary>
    Fenced,

    /// <summary>Whether it happened is not known (an EndTxn that timed out). The producer must be made anew.</summary>
    Unknown,

    /// <summary>The producer is of no use any more; a new one may work.</summary>
    Fatal,

    /// <summary>No producer can work before somebody changes something (authorisation, missing topic).</summary>
    Misconfigured,
}

/// <summary>How a call to the sink ended.</summary>
/// <param name="Outcome">The rung of the ladder.</param>
/// <param name="Refusal">With <see cref="TxOutcome.Refused"/>, or Abortable because of an earlier record: the reason to quarantine under.</param>
/// <param name="Detail">The client's words, null when Ok.</param>
public readonly record struct TxResult(
    TxOutcome Outcome,
    Contracts.Identity.Reason Refusal = Contracts.Identity.Reason.None,
    string? Detail = null
)
{
    /// <summary>Done.</summary>
    public static readonly TxResult Ok = new(TxOutcome.Ok);

    /// <summary>Whether it is done.</summary>
    public bool IsOk => Outcome == TxOutcome.Ok;
}

/// <summary>An input offset to commit.</summary>
/// <param name="Partition">Input partition.</param>
/// <param name="Offset">Next offset to be read.</param>
public readonly record struct PartitionOffset(int Partition, long Offset);

/// <summary>Headers that are added behind a record's own. Reused; filled anew for each record.</summary>
/// <remarks>Cleared and filled by the router; holds at most <see cref="MaxHeaders"/> headers and grows its bytes as needed.</remarks>
public sealed class AddedHeaders
{
    /// <summary>The most headers that Dedup adds to one record.</summary>
    public const int MaxHeaders = 16;

    private readonly string[] _names = new string[MaxHeaders];
    private readonly int[] _ends = new int[MaxHeaders];
    private byte[] _bytes = new byte[1024];

    /// <summary>Number of headers.</summary>
    public int Count { get; private set; }

    /// <summary>Forgets all.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds a header with these bytes.</summary>
    public void Add(string name, ReadOnlySpan<byte> value)
    {
        int start = Count == 0 ? 0 : _ends[Count - 1];
        if (start + value.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, start + value.Length));
        }

        value.CopyTo(_bytes.AsSpan(start));
        _names[Count] = name;
        _ends[Count] = start + value.Length;
        Count++;
    }

    /// <summary>Adds a header with this text in UTF-8.</summary>
    public void Add(string name, string value)
    {
        Span<byte> utf8 = value.Length <= 256 ? stackalloc byte[768] : new byte[value.Length * 3];
        Add(name, utf8[..System.Text.Encoding.UTF8.GetBytes(value, utf8)]);
    }

    /// <summary>Adds a header with this number in decimal digits.</summary>
    public void Add(string name, long value)
    {
        Span<byte> digits = stackalloc byte[20];
        _ = value.TryFormat(digits, out int n);
        Add(name, digits[..n]);
    }

    /// <summary>Name of a header.</summary>
    public string Name(int index) => _names[index];

    /// <summary>Value of a header.</summary>
    public ReadOnlySpan<byte> Value(int index)
    {
        int start = index == 0 ? 0 : _ends[index - 1];
        return _bytes.AsSpan(start, _ends[index] - start);
    }
}

/// <summary>
/// Where records go: one transactional producer with a stable transactional.id. Used by one thread. No call throws for
/// what a broker or network does; the outcome says it.
/// </summary>
public interface ITransactionalSink : IDisposable
{
    /// <summary>The transactional.id.</summary>
    string TransactionalId { get; }

    /// <summary>Fences older producers of the same transactional.id and ends what they left pending. First call on a new producer.</summary>
    TxResult Initialise(int timeoutMs);

    /// <summary>Begins a transaction. Local.</summary>
    TxResult Begin();

    /// <summary>
    /// Sends a record of a batch with key, value, headers, and timestamp unchanged, to the partition named. The record's
    /// headers are handed over: they cannot be read afterwards. May wait for room in the send buffer.
    /// </summary>
    /// <param name="topic">Where to.</param>
    /// <param name="partition">Which partition.</param>
    /// <param name="batch">The batch that owns the record.</param>
    /// <param name="index">The record.</param>
    /// <param name="timestampMs">Timestamp to send; the record's own for everything but quarantine.</param>
    /// <param name="added">Headers added behind the record's own; null for none.</param>
    TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    );

    /// <summary>The same with another key: value, headers, and all else as <see cref="Forward"/>.</summary>
    /// <param name="topic">Where to.</param>
    /// <param name="partition">Which partition.</param>
    /// <param name="batch">The batch that owns the record.</param>
    /// <param name="index">The record.</param>
    /// <param name="key">Key; copied before the call returns.</param>
    /// <param name="keyIsNull">Whether the key is null, which an empty one is not.</param>
    /// <param name="timestampMs">Timestamp to send.</param>
    /// <param name="added">Headers added behind the record's own; null for none.</param>
    TxResult ForwardAs(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        long timestampMs,
        AddedHeaders? added
    );

    /// <summary>Sends a record of our own.</summary>
    /// <param name="topic">Where to.</param>
    /// <param name="partition">Which partition.</param>
    /// <param name="key">Key, not null.</param>
    /// <param name="value">Value; ignored when <paramref name="isTombstone"/>.</param>
    /// <param name="isTombstone">Whether the value is null.</param>
    /// <param name="timestampMs">Timestamp.</param>
    /// <param name="added">Headers; null for none.</param>
    TxResult Send(
        SinkTopic topic,
        int partition,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value,
        bool isTombstone,
        long timestampMs,
        AddedHeaders? added
    );

    /// <summary>Makes input offsets part of the transaction.</summary>
    TxResult SendOffsets(
        ReadOnlySpan<PartitionOffset> offsets,
        GroupMembership membership,
        int timeoutMs
    );

    /// <summary>Commits. A time-out is <see cref="TxOutcome.Unknown"/>.</summary>
    TxResult Commit(int timeoutMs);

    /// <summary>Aborts.</summary>
    TxResult Abort(int timeoutMs);

    /// <summary>Disposes of the producer and makes a new one with the same transactional.id; <see cref="Initialise"/> comes next.</summary>
    void Renew();
}
