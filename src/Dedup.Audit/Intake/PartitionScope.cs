using System.Numerics;

namespace Dedup.Audit.Intake;

/// <summary>What of one partition is audited, and what of it is known to be gone.</summary>
internal sealed record PartitionScope
{
    /// <summary>
    /// Entries in a bucket: at 80 and 48 bytes an input and a clean bucket (2 MiB) just fit a second-level cache, where the comparing
    /// jumps about.
    /// </summary>
    private const int BucketEntries = 16 * 1024;

    /// <summary>More buckets would only cost half-empty blocks: 2048 · (20 + 12) KiB = 64 MiB.</summary>
    private const int MaxBuckets = 2048;

    public required int Partition { get; init; }
    public required long InputStart { get; init; }

    /// <summary>Offset behind the last input record that is audited.</summary>
    public required long InputEnd { get; init; }

    /// <summary>End of the input log.</summary>
    public long InputHigh { get; init; }

    /// <summary>Position before the first input record: other than 0 where all partitions are compared together.</summary>
    public long InputBase { get; init; }

    /// <summary>Position before the first clean record, likewise.</summary>
    public long CleanBase { get; init; }

    /// <summary>All partitions, where they are compared together.</summary>
    public ById.WholeScope? Whole { get; init; }

    /// <summary>Older input records were deleted.</summary>
    public bool InputHistoryDeleted { get; init; }

    /// <summary>Records may be missing in the middle of the input.</summary>
    public bool InputCompacted { get; init; }
    public required long CleanStart { get; init; }
    public required long CleanEnd { get; init; }
    public bool CleanHistoryDeleted { get; init; }
    public bool CleanCompacted { get; init; }

    /// <summary>Number of hash buckets for this partition; a power of two.</summary>
    public int Buckets => BucketsFor(Math.Max(InputEnd - InputStart, CleanEnd - CleanStart));

    /// <summary>Number of hash buckets for that many records of one side; a power of two.</summary>
    public static int BucketsFor(long records) =>
        (int)
            BitOperations.RoundUpToPowerOf2(
                (ulong)Math.Clamp(records / BucketEntries, 1, MaxBuckets)
            );

    /// <summary>Position of an input record.</summary>
    public uint InputPosition(long offset) => checked((uint)(InputBase + offset - InputStart + 1));

    /// <summary>Position of a clean record.</summary>
    public uint CleanPosition(long offset) => checked((uint)(CleanBase + offset - CleanStart + 1));

    /// <summary>Position of the first occurrence that a duplicate names; <see cref="uint.MaxValue"/> when it is none of these records.</summary>
    public uint FirstPosition(int partition, long offset)
    {
        if (Whole is not null)
        {
            return Whole.PositionOf(partition, offset);
        }

        long position = offset - InputStart + 1;
        return position is > 0 and < uint.MaxValue ? (uint)position : uint.MaxValue;
    }

    /// <summary>Input offset at a position.</summary>
    public long InputOffset(uint position) => InputStart + position - InputBase - 1;

    /// <summary>Clean offset at a position.</summary>
    public long CleanOffset(uint position) => CleanStart + position - CleanBase - 1;
}
