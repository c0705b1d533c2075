using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Records;

namespace Dedup.Host.Advise;

/// <summary>What is kept of each record of the sample: hashes, a time, and a partition; no payload.</summary>
/// <remarks>
/// 20 bytes for a record and 8 for each candidate: 1 M records under 20 candidates take 180 MB. 64 bits tell a million IDs apart:
/// that any two of them meet has the probability 3 in 10^8.
/// </remarks>
internal sealed class SampleTable
{
    private static readonly SipHash Hash = new(0, 0);

    private readonly IReadOnlyList<Candidate> _candidates;
    private readonly IdScratch _scratch = new();
    private readonly ulong[][] _ids;
    private readonly int _fingerprint;
    private int _count;

    /// <summary>Makes a table.</summary>
    /// <param name="candidates">The candidates; the last one is content, and tells whether two payloads are the same.</param>
    /// <param name="capacity">Most records.</param>
    public SampleTable(IReadOnlyList<Candidate> candidates, int capacity)
    {
        _candidates = candidates;
        _fingerprint = candidates.Count - 1;
        Times = new long[capacity];
        Partitions = new int[capacity];
        _ids = [.. candidates.Select(_ => new ulong[capacity])];
    }

    /// <summary>Records in it.</summary>
    public int Count => _count;

    /// <summary>Whether no more fit.</summary>
    public bool IsFull => _count == Times.Length;

    /// <summary>Timestamps in ms, -1 for none.</summary>
    public long[] Times { get; }

    /// <summary>Partitions.</summary>
    public int[] Partitions { get; }

    /// <summary>Bytes that a table of that size takes.</summary>
    public static long BytesFor(long records, int candidates) =>
        records * (sizeof(long) + sizeof(int) + ((long)candidates * sizeof(ulong)));

    /// <summary>Hashes of the IDs that a candidate gives, 0 for a record without one.</summary>
    public ReadOnlySpan<ulong> IdsOf(int candidate) => _ids[candidate].AsSpan(0, _count);

    /// <summary>Hashes of the payloads: the same for payloads of the same content.</summary>
    public ReadOnlySpan<ulong> Payloads => IdsOf(_fingerprint);

    /// <summary>Adds a record. Allocates nothing.</summary>
    public void Add(in RecordView record)
    {
        Times[_count] = record.TimestampMs;
        Partitions[_count] = record.Partition;
        for (int c = 0; c < _ids.Length; c++)
        {
            _candidates[c].Recipe.Identify(record, _scratch, Hash, out Identified identified);
            ulong id = identified.Key.High;
            _ids[c][_count] =
                identified.Reason != Reason.None ? 0
                : id == 0 ? 1
                : id;
        }

        _count++;
    }
}
