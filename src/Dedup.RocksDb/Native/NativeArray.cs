using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dedup.RocksDb.Native;

/// <summary>
/// Memory outside the managed heap, zeroed, aligned to cache lines: filters and tables of many megabytes would otherwise
/// sit in the large object heap, where each cut of a table would be garbage.
/// </summary>
internal sealed unsafe partial class NativeArray<T> : SafeHandle
    where T : unmanaged
{
    // Filters of this size are asked at random: with pages of 4 KB most questions would also miss the TLB.
    private const long HugePageBytes = 2 << 20;
    private readonly long _bytes;

    /// <summary>Takes memory for so many elements; throws OutOfMemoryException when there is none.</summary>
    public NativeArray(long length)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        _bytes = checked(length * sizeof(T));
        nuint alignment = _bytes >= HugePageBytes ? (nuint)HugePageBytes : 64;
        void* memory = NativeMemory.AlignedAlloc((nuint)_bytes, alignment);
        SetHandle((nint)memory);
        if (_bytes >= HugePageBytes)
        {
            Advice.TryHugePages(memory, (nuint)_bytes);
        }

        Clear();
    }

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>Size in bytes.</summary>
    public long Bytes => _bytes;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The element at an index; checked, since a wild write here would be silent.</summary>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)Length)
            {
                ThrowRange();
            }

            return ref ((T*)handle)[index];
        }
    }

    /// <summary>A stretch of elements.</summary>
    public Span<T> Slice(long start, int length)
    {
        if (start < 0 || length < 0 || start > Length - length)
        {
            ThrowRange();
        }

        return new Span<T>((T*)handle + start, length);
    }

    /// <summary>Zeroes all of it.</summary>
    public void Clear() => NativeMemory.Clear((void*)handle, (nuint)_bytes);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    [DoesNotReturn]
    private static void ThrowRange() =>
        throw new ArgumentOutOfRangeException(null, "Index outside native memory.");
}

/// <summary>Advice to the kernel about memory.</summary>
internal static unsafe partial class Advice
{
    private const int HugePage = 14; // MADV_HUGEPAGE in linux/mman.h

    /// <summary>Asks for huge pages; without them everything works, only slower.</summary>
    public static void TryHugePages(void* memory, nuint bytes)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = madvise(memory, bytes, HugePage);
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(void* address, nuint length, int advice);
}
