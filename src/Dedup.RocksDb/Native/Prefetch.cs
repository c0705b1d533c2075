using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Dedup.RocksDb.Native;

/// <summary>Tells the processor which memory will be asked for soon.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Fetches the cache line of that element of native memory; a hint, nothing where the processor has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line<T>(ref T at)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref at));
        }
    }
}
