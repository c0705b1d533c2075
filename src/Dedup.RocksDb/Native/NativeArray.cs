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
    private readonly Pages _pages;

    /// <summary>Takes memory for so many elements; throws InsufficientMemoryException when there is none.</summary>
    public NativeArray(long length)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        Bytes = checked(length * sizeof(T));
        _pages = Pages.Take(Bytes);
        SetHandle(_pages.Address);
    }

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

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
    public void Clear() => NativeMemory.Clear((void*)handle, (nuint)Bytes);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _pages.Free();
        return true;
    }

    [DoesNotReturn]
    private static void ThrowRange() =>
        throw new ArgumentOutOfRangeException(null, "Index outside native memory.");
}
