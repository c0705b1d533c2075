using System.Numerics;

namespace Dedup.Audit.Intake;

/// <summary>What of one partition is audited, and what of it is known to be gone.</summary>
internal sealed record PartitionScope
{
    /// <summary>
    /// Entries in a bucket: at 64 and 44 bytes an input and a clean bucket fit a second-level cache, where the comparing
    /// jumps about.
    /// </summary>
    private const int BucketEntries = 16 * 1024;

    /// <summary>More buckets would only cost half-empty blocks: 2048 · (16 + 11) KiB = 55 MiB.</summary>
    private const int MaxBuckets = 2048;

    public required int Partition { get; init; }
    public required long InputStart { get; init; }

    /// <summary>Offset behind the last input record that is audited.</summary>
    public required long InputEnd { get; init; }

    /// <summary>Older input records were deleted.</summary>
    public bool InputHistoryDeleted { get; init; }

    /// <summary>Records may be missing in the middle of the input.</summary>
    public bool InputCompacted { get; init; }
    public required long CleanStart { get; init; }
    public required long CleanEnd { get; init; }
    public bool CleanHistoryDeleted { get; init; }
    public bool CleanCompacted { get; init; }

    /// <summary>Number of hash buckets for this partition; a power of two.</summary>
    public int Buckets
    {
        get
        {
            long most = Math.Max(InputEnd - InputStart, CleanEnd - CleanStart);
            return (int)
                BitOperations.RoundUpToPowerOf2(
                    (ulong)Math.Clamp(most / BucketEntries, 1, MaxBuckets)
                );
        }
    }

    /// <summary>Input offset at a position.</summary>
    public long InputOffset(uint position) => InputStart + position - 1;

    /// <summary>Clean offset at a position.</summary>
    public long CleanOffset(uint position) => CleanStart + position - 1;
}
