using System.Runtime.InteropServices;

namespace Dedup.Kafka.Native;

/// <summary>The C library's memory.</summary>
internal static partial class Allocator
{
    /// <summary>M_ARENA_MAX of malloc.h.</summary>
    private const int ArenaMax = -8;

    /// <summary>
    /// Of glibc's up to 8 arenas for each core. Records are allocated by librdkafka's threads and freed by lanes, so that each
    /// further arena keeps free memory that nobody else can use: with 2 of them 15 to 20 MB less for each lane, and no more CPU.
    /// </summary>
    private const int Arenas = 2;

    /// <summary>M_TRIM_THRESHOLD of malloc.h.</summary>
    private const int TrimThreshold = -1;

    /// <summary>M_MMAP_THRESHOLD of malloc.h.</summary>
    private const int MmapThreshold = -3;

    /// <summary>
    /// Bytes free at the top of an arena before they are given back. With glibc's 128 KiB a batch that was released gave its pages
    /// back and the next one took them anew, zeroed by the kernel, a page at a time.
    /// </summary>
    private const int KeepBytes = 64 << 20;

    /// <summary>
    /// Requests from this size on get pages of their own, and give them back when they are freed: the largest that glibc takes,
    /// above every fetch response, for the same reason.
    /// </summary>
    private const int OwnPagesBytes = 32 << 20;

    /// <summary>Call before the first client is made. Without glibc nothing happens.</summary>
    public static void Tune()
    {
        try
        {
            _ = MallOpt(ArenaMax, Arenas);
            _ = MallOpt(TrimThreshold, KeepBytes);
            _ = MallOpt(MmapThreshold, OwnPagesBytes);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // musl and others have no arenas.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
