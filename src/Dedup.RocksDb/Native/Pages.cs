using System.Runtime.InteropServices;

namespace Dedup.RocksDb.Native;

/// <summary>Zeroed memory from the system: large stretches come from it directly and go back to it at once.</summary>
/// <remarks>
/// malloc would keep the memory of a filter that was replaced by a larger one, and hand it out in pieces to RocksDB: after
/// 100 M IDs the process had twice the memory that it used.
/// </remarks>
internal readonly unsafe partial struct Pages
{
    // Filters and tables are asked at random: with pages of 4 KB most questions would also miss the TLB.
    private const nuint HugePageBytes = 2 << 20;
    private const int ReadWrite = 3; // PROT_READ | PROT_WRITE in linux/mman.h
    private const int PrivateAnonymous = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS
    private const int AdviseHugePages = 14; // MADV_HUGEPAGE
    private readonly nint _mapping;
    private readonly nuint _mappedBytes;

    private Pages(nint address, nint mapping, nuint mappedBytes)
    {
        Address = address;
        _mapping = mapping;
        _mappedBytes = mappedBytes;
    }

    /// <summary>Where it begins: at a huge page when it is that large, else at a cache line.</summary>
    public nint Address { get; }

    /// <summary>Takes memory; throws InsufficientMemoryException when there is none.</summary>
    public static Pages Take(long bytes)
    {
        if ((nuint)bytes < HugePageBytes || !OperatingSystem.IsLinux())
        {
            void* small = NativeMemory.AlignedAlloc((nuint)bytes, 64);
            NativeMemory.Clear(small, (nuint)bytes);
            return new Pages((nint)small, 0, 0);
        }

        // One huge page more, so that a beginning can be found within; what is not touched takes no memory.
        nuint mapped = (nuint)bytes + HugePageBytes;
        nint mapping = mmap(0, mapped, ReadWrite, PrivateAnonymous, -1, 0);
        if (mapping == -1)
        {
            throw new InsufficientMemoryException(
                $"The system has no {bytes} bytes of memory: lower state.memory."
            );
        }

        nint address = (nint)(((nuint)mapping + HugePageBytes - 1) & ~(HugePageBytes - 1));
        _ = madvise(address, (nuint)bytes, AdviseHugePages);
        return new Pages(address, mapping, mapped);
    }

    /// <summary>Gives it back.</summary>
    public void Free()
    {
        if (_mappedBytes == 0)
        {
            NativeMemory.AlignedFree((void*)Address);
        }
        else
        {
            _ = munmap(_mapping, _mappedBytes);
        }
    }

    [LibraryImport("libc")]
    private static partial nint mmap(
        nint address,
        nuint length,
        int protection,
        int flags,
        int file,
        nint offset
    );

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);
}
