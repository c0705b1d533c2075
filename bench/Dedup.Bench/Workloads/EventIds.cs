using System.Buffers.Text;
using System.Globalization;

namespace Dedup.Bench.Workloads;

/// <summary>The IDs of a workload: text of 20 bytes that looks random and from which the number can be read back.</summary>
/// <remarks>
/// Reading back makes the check of an output exact and cheap: one bit for each ID instead of a table of hashes.
/// <code>
/// 0      4                    20
/// | "ev-0" | 16 hex digits of Mix(number) |
/// </code>
/// </remarks>
internal static class EventIds
{
    /// <summary>Length of an ID in bytes.</summary>
    public const int Length = 20;

    // 2^64 / golden ratio, odd, and its inverse modulo 2^64: spreads neighbouring numbers over the whole range, and back.
    private const ulong Spread = 0x9E37_79B9_7F4A_7C15;
    private const ulong Gather = 0xF1DE_83E1_9937_733D;

    /// <summary>Writes the ID of a number; returns its hash, which says the partition.</summary>
    public static ulong Write(long number, Span<byte> key)
    {
        ulong mixed = Mix((ulong)number);
        "ev-0"u8.CopyTo(key);
        _ = Utf8Formatter.TryFormat(
            mixed,
            key[4..],
            out _,
            new System.Buffers.StandardFormat('x', 16)
        );
        return mixed;
    }

    /// <summary>The partition of an ID: by its hash, so that its duplicates are in the same one.</summary>
    public static int PartitionOf(ulong hash, int partitions) =>
        (int)((hash >> 40) % (ulong)partitions);

    /// <summary>The number of an ID; -1 when it is none of ours.</summary>
    public static long Read(ReadOnlySpan<byte> key) =>
        key.Length == Length
        && key.StartsWith("ev-0"u8)
        && ulong.TryParse(key[4..], NumberStyles.AllowHexSpecifier, null, out ulong mixed)
            ? (long)Unmix(mixed)
            : -1;

    private static ulong Mix(ulong number)
    {
        ulong spread = (number + 1) * Spread;
        return spread ^ (spread >> 32);
    }

    // x ^ (x >> 32) is its own inverse for 64 bits.
    private static ulong Unmix(ulong mixed) => ((mixed ^ (mixed >> 32)) * Gather) - 1;
}
