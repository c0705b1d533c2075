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

    /// <summary>Fetches the first and the last cache line of an element.</summary>
    /// <remarks>By pointer: for the address of a field the compiler reads the element first, and waits for what it should fetch.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Whole<T>(ref T at)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            byte* first = (byte*)Unsafe.AsPointer(ref at);
            Sse.Prefetch0(first);
            Sse.Prefetch0(first + sizeof(T) - 1);
        }
    }
}
