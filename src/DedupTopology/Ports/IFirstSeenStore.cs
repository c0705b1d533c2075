using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;

namespace Dedup.Topology.Ports;

/// <summary>A question to the store: has this ID been seen within <paramref name="WindowMs"/> of that time?</summary>
/// <param name="Key">The ID's key.</param>
/// <param name="TimestampMs">The record's timestamp.</param>
/// <param name="WindowMs">Window of the record's class.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct StoreProbe(EventKey Key, long TimestampMs, long WindowMs);

/// <summary>The store's answer.</summary>
/// <param name="Entry">
/// Of the entries within the window the one with the greatest time, when found: whether an entry still counts grows with its
/// time, so if any counts, this one does. The answer must not depend on the tier or the transaction that an entry lies in.
/// </param>
/// <param name="Class">Window class of the bucket that it lies in.</param>
/// <param name="IsFound">Whether an entry lies within the window.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct StoreHit(SeenEntry Entry, ushort Class, bool IsFound);

/// <summary>An ID to be remembered.</summary>
/// <param name="Key">The ID's key.</param>
/// <param name="Entry">What is remembered.</param>
/// <param name="Bucket">The bucket that it lies in.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct NewEntry(EventKey Key, SeenEntry Entry, BucketId Bucket);

/// <summary>What a store on disk says of itself.</summary>
/// <param name="Marker">The marker at the cut of its last complete seal: everything up to its input offset is in the store.</param>
/// <param name="Floor">Changelog offset from which replay is safe.</param>
public sealed record StoreHeader(Marker Marker, long Floor);

/// <summary>How opening a store ended.</summary>
public enum StoreOpenStatus : byte
{
    /// <summary>Open.</summary>
    Opened,

    /// <summary>Still locked by a task that is closing, of this process or another. Ask again.</summary>
    Locked,

    /// <summary>RocksDB says Corruption, or the header is not readable. It was not opened.</summary>
    Corrupt,
}

/// <summary>Answer of <see cref="IStoreFactory.Open"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Store">The store when opened.</param>
/// <param name="Detail">What is wrong otherwise.</param>
public readonly record struct StoreOpening(
    StoreOpenStatus Status,
    IFirstSeenStore? Store,
    string? Detail
);

/// <summary>Opens the stores of one pipeline.</summary>
public interface IStoreFactory
{
    /// <summary>Opens or makes the store of a partition. Throws StoreFailedException when the disk is full, files cannot be opened, or the like.</summary>
    StoreOpening Open(int partition);

    /// <summary>
    /// Renames what lies on disk, never deletes it, so that the next <see cref="Open"/> makes an empty store. Does nothing when
    /// the store is open: two lanes may have found it damaged, and one has set it aside and opened it anew before the other.
    /// </summary>
    void SetAside(int partition, string why);
}

/// <summary>The store cannot go on (disk full, I/O error, too many open files). The lane fails loudly; nothing is lost.</summary>
public sealed class StoreFailedException : Exception
{
    /// <summary>Says what failed and on which path.</summary>
    public StoreFailedException(string message, Exception? inner = null)
        : base(message, inner) { }

    /// <summary>
    /// Whether what lies on disk is damaged: the store can be closed without a header, set aside, and restored from the
    /// changelog. Otherwise (disk full, I/O error) the lane fails.
    /// </summary>
    public bool IsCorruption { get; init; }

    /// <summary>Input partition of the store; -1 where it does not matter.</summary>
    public int Partition { get; init; } = -1;
}

/// <summary>
/// The IDs of one partition that have been seen and committed. Owned by one thread; a seal may work on another one behind
/// it. Any call may throw <see cref="StoreFailedException"/>.
/// </summary>
public interface IFirstSeenStore : IDisposable
{
    /// <summary>What the store said of itself when it was opened, or of the last complete seal since; null for an empty one.</summary>
    StoreHeader? Header { get; }

    /// <summary>Number of IDs held: at least as many as live. Expired ones may be among them until their bucket is dropped, and those of a seal count twice for the moments between its files and its end.</summary>
    long Count { get; }

    /// <summary>Bytes of memory in use (filters, tables).</summary>
    long MemoryBytes { get; }

    /// <summary>
    /// Answers many questions at once. Only what was committed before is seen. Allocation-free. Asks all live buckets of all
    /// classes, since the same ID may have been seen under another type.
    /// </summary>
    /// <param name="probes">The questions.</param>
    /// <param name="hits">The answers, at the same index.</param>
    void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits);

    /// <summary>
    /// Remembers IDs. Called after the commit that made them so, and by a restore. Adding an entry that is there already
    /// changes nothing.
    /// </summary>
    void Add(ReadOnlySpan<NewEntry> entries);

    /// <summary>Whether the recent table is so full that it should be sealed, and no seal is under way.</summary>
    bool WantsSeal { get; }

    /// <summary>Whether the recent table is at its bound while a seal is under way: no more may be added before it ends.</summary>
    bool IsFull { get; }

    /// <summary>
    /// Cuts the recent table, between two transactions, and writes it to disk off this thread. The header changes only when
    /// everything is in.
    /// </summary>
    /// <param name="header">Marker as of the last commit, and the changelog's high watermark read after that commit.</param>
    void BeginSeal(StoreHeader header);

    /// <summary>Goes on with what is under way; throws what failed in the background. Cheap; called at every step of the lane.</summary>
    void Step();

    /// <summary>Waits until no seal is under way.</summary>
    void WaitForSeal();

    /// <summary>Drops whole buckets.</summary>
    void DropBuckets(ReadOnlySpan<BucketId> buckets);

    /// <summary>The buckets that hold entries.</summary>
    ImmutableArray<BucketId> Buckets { get; }

    /// <summary>
    /// Waits for a seal under way, seals the rest, and closes, so that the next start need not replay. Without a header (what
    /// is in memory was not committed or is not known to be) only closes.
    /// </summary>
    void Close(StoreHeader? header);
}
