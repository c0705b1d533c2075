using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dedup.RocksDb.Filter;

/// <summary>
/// The first eight bytes of every key of a bucket, in the order of the seals: what a filter is made of. Reading it back costs a
/// few ns for each ID, where a scan of RocksDB costs some hundred; so a filter can be made again, larger or after a restart,
/// within a second.
/// </summary>
/// <remarks>
/// The file is numbers of 8 bytes and nothing else. Count and checksum of what belongs to it are in the store's header, so it
/// needs no sync of its own: a file that a power cut has torn does not match, and RocksDB is scanned instead.
/// </remarks>
internal sealed class KeyLog(string path)
{
    private const ulong Seed = 0xCBF2_9CE4_8422_2325;
    private const ulong Prime = 0x9E37_79B9_7F4A_7C15;

    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>Keys that belong to it.</summary>
    public long Count { get; private set; }

    /// <summary>Checksum over them.</summary>
    public ulong Checksum { get; private set; } = Seed;

    /// <summary>Whether every key in RocksDB is in it; false while a scan is filling it.</summary>
    public bool IsComplete { get; set; } = true;

    /// <summary>Goes on with a file of an earlier run; false when it cannot be what the header says.</summary>
    public bool Resume(long count, ulong checksum)
    {
        var file = new FileInfo(Path);
        if (count < 0 || !file.Exists || file.Length < count * sizeof(ulong))
        {
            return false;
        }

        // What lies behind belongs to a seal that never became complete; it will be sealed again.
        using SafeFileHandle handle = File.OpenHandle(Path, FileMode.Open, FileAccess.Write);
        RandomAccess.SetLength(handle, count * sizeof(ulong));
        Count = count;
        Checksum = checksum;
        return true;
    }

    /// <summary>Begins anew with an empty file.</summary>
    public void Restart()
    {
        using SafeFileHandle handle = File.OpenHandle(Path, FileMode.Create, FileAccess.Write);
        Count = 0;
        Checksum = Seed;
    }

    /// <summary>Appends keys.</summary>
    public void Append(ReadOnlySpan<ulong> keys)
    {
        using SafeFileHandle handle = File.OpenHandle(
            Path,
            FileMode.OpenOrCreate,
            FileAccess.Write
        );
        RandomAccess.Write(handle, MemoryMarshal.AsBytes(keys), Count * sizeof(ulong));
        Checksum = Extend(Checksum, keys);
        Count += keys.Length;
    }

    /// <summary>Reads keys from a position; throws EndOfStreamException when the file is shorter than it should be.</summary>
    public int Read(long position, Span<ulong> target)
    {
        int wanted = (int)Math.Min(target.Length, Count - position);
        Span<byte> bytes = MemoryMarshal.AsBytes(target[..wanted]);
        using SafeFileHandle handle = File.OpenHandle(Path, FileMode.Open, FileAccess.Read);
        long at = position * sizeof(ulong);
        while (bytes.Length > 0)
        {
            int n = RandomAccess.Read(handle, bytes, at);
            if (n == 0)
            {
                throw new EndOfStreamException($"{Path}: ends before {Count} keys.");
            }

            bytes = bytes[n..];
            at += n;
        }

        return wanted;
    }

    /// <summary>Checksum of nothing.</summary>
    public static ulong EmptyChecksum => Seed;

    /// <summary>Checksum of more keys: every bit and the order count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong Extend(ulong checksum, ReadOnlySpan<ulong> keys)
    {
        foreach (ulong key in keys)
        {
            checksum = System.Numerics.BitOperations.RotateLeft((checksum ^ key) * Prime, 29);
        }

        return checksum;
    }
}
