using System.Collections.Immutable;

namespace Dedup.Contracts.Changelog;

/// <summary>A window class as the changelog knows it: the geometry that its buckets were made with, and its clock.</summary>
/// <param name="Id">Number used in bucket ids.</param>
/// <param name="Name">Type pattern of the configuration, empty for the default window; of a retired class with a NUL before it.</param>
/// <param name="WindowMs">Window in ms.</param>
/// <param name="GraceMs">Grace in ms.</param>
/// <param name="BucketWidthMs">Width of a bucket in ms of expiry time.</param>
/// <param name="ClockMs">
/// Window clock: highest bounded record timestamp seen, -1 before the first. Of a retired class the highest clock, in its own
/// arithmetic, by which its buckets have expired.
/// </param>
public readonly record struct MarkerClass(
    ushort Id,
    string Name,
    long WindowMs,
    long GraceMs,
    long BucketWidthMs,
    long ClockMs
)
{
    private const char RetiredMark = '\0';

    /// <summary>Whether the configuration has no such class any more; its buckets go on until they have expired.</summary>
    public bool IsRetired => Name.Length > 0 && Name[0] == RetiredMark;

    /// <summary>The type pattern, whether the class is retired or not.</summary>
    public string Pattern => IsRetired ? Name[1..] : Name;

    /// <summary>The class as a retired one.</summary>
    public MarkerClass Retire() => IsRetired ? this : this with { Name = RetiredMark + Name };
}

/// <summary>A bucket as the changelog knows it.</summary>
/// <param name="Id">The bucket.</param>
/// <param name="NextSequence">Sequence number of the next chunk; numbers below it were used.</param>
/// <param name="TombstonedBelow">Chunks with a lower number have been tombstoned; 0 while the bucket lives.</param>
public readonly record struct MarkerBucket(BucketId Id, long NextSequence, long TombstonedBelow);

/// <summary>Clock of one input partition, where records of several meet (partitioning: by-id).</summary>
/// <param name="Class">Window class.</param>
/// <param name="Partition">Input partition.</param>
/// <param name="ClockMs">Its clock as the first hop stamped it last, -1 before its first record.</param>
/// <param name="SeenAtMs">Attention at its last record, in ms: see <see cref="MarkerAttention"/>.</param>
public readonly record struct MarkerSource(
    ushort Class,
    int Partition,
    long ClockMs,
    long SeenAtMs
);

/// <summary>By what idle input partitions are told.</summary>
/// <param name="Class">Window class.</param>
/// <param name="AttentionMs">Sum of the times between records of the class, long silences cut, in ms.</param>
/// <param name="WrittenMs">When the first hop wrote the latest of them, by its wall clock; -1 before the first.</param>
public readonly record struct MarkerAttention(ushort Class, long AttentionMs, long WrittenMs);

/// <summary>What a state knows of the input partitions that meet in it.</summary>
/// <param name="Attention">By class.</param>
/// <param name="Clocks">By class and input partition.</param>
public sealed record MarkerSources(
    ImmutableArray<MarkerAttention> Attention,
    ImmutableArray<MarkerSource> Clocks
);

/// <summary>
/// The one record of a changelog partition that says everything: up to where the input was judged, by whom, with which
/// clocks and counts. Compaction keeps the last one.
/// </summary>
/// <remarks>
/// Key: the single byte 0x00. Value: version byte, then the fields in the order of <see cref="MarkerCodec"/>.
/// </remarks>
public sealed record Marker
{
    /// <summary>Hash of recipe, scope, and partitioning: state made with another one must not be used.</summary>
    public required ulong RecipeVersion { get; init; }

    /// <summary>Id of the cluster that the input lives in.</summary>
    public required string ClusterId { get; init; }

    /// <summary>Id of the input topic (a topic made anew under the same name has another one).</summary>
    public required string InputTopicId { get; init; }

    /// <summary>Partitions of the input topic when the state was made.</summary>
    public required int PartitionCount { get; init; }

    /// <summary>First half of the key of the ID hash.</summary>
    public required ulong HashKey0 { get; init; }

    /// <summary>Second half of the key of the ID hash.</summary>
    public required ulong HashKey1 { get; init; }

    /// <summary>Next input offset to be judged: everything below it has been.</summary>
    public required long InputOffset { get; init; }

    /// <summary>Position in the control topic up to which commands have been applied, 0 without one.</summary>
    public long ControlPosition { get; init; }

    /// <summary>transactional.id of the producer that wrote this marker: whom a new owner fences.</summary>
    public required string Writer { get; init; }

    /// <summary>Window classes, live and retired.</summary>
    public required ImmutableArray<MarkerClass> Classes { get; init; }

    /// <summary>Buckets that have chunks in the changelog.</summary>
    public required ImmutableArray<MarkerBucket> Buckets { get; init; }

    /// <summary>The partition's ledger since the state was made: name of the count and value, sorted by name.</summary>
    public required ImmutableArray<KeyValuePair<string, long>> Counts { get; init; }

    /// <summary>
    /// Clocks of the input partitions whose records meet here (partitioning: by-id); null where there is only one. Where it is
    /// given, the clocks of <see cref="Classes"/> are those that state expires by.
    /// </summary>
    public MarkerSources? Sources { get; init; }

    /// <summary>Usage by tenant; null where the scope has none.</summary>
    public MarkerUsage? Usage { get; init; }
}
