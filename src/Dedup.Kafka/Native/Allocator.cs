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

    /// <summary>Call before the first client is made. Without glibc nothing happens.</summary>
    public static void LimitArenas()
    {
        try
        {
            _ = MallOpt(ArenaMax, Arenas);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // musl and others have no arenas.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
