using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dedup.RocksDb.Native;

namespace Dedup.RocksDb.Filter;

/// <summary>
/// A Bloom filter in which all bits of a key lie in one cache line: a question costs one access to memory. Says "no" only
/// when the key was never added.
/// </summary>
/// <remarks>
/// <code>
/// block (64 bytes, one cache line) = 8 words of 64 bits; a key sets one bit in each word
/// block number = high 64 bits of (key's first half × blocks): ascending keys fill ascending blocks
/// bit in word i = bits 16 + 6i .. 21 + 6i of (key's first half × 2^64/φ)
/// </code>
/// Share of false positives with so many bits for a key: 16 → 0.1 %, 12 → 0.4 %, 10 → 1 %, 8 → 2.5 %, 6 → 7 %.
/// One thread adds while others may ask: bits only ever go from 0 to 1, and words are written whole.
/// </remarks>
internal sealed class BlockedFilter : IDisposable
{
    private const int WordsPerBlock = 8;
    private const int BitsPerBlock = 512;
    private readonly NativeArray<ulong> _words;
    private readonly ulong _blocks;

    /// <summary>Makes an empty filter of about that size, at least one block.</summary>
    public BlockedFilter(long bytes)
    {
        _blocks = (ulong)Math.Max(1, bytes / (BitsPerBlock / 8));
        _words = new NativeArray<ulong>((long)_blocks * WordsPerBlock);
    }

    /// <summary>Size in bytes.</summary>
    public long Bytes => _words.Bytes;

    /// <summary>Fetches the key's block into the cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchFor(ulong keyHigh) => Prefetch.Line(ref Block(keyHigh));

    /// <summary>Whether the key may have been added. Hot path: no branch depends on the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MayContain(ulong keyHigh)
    {
        ref ulong block = ref Block(keyHigh);
        if (!Avx2.IsSupported)
        {
            return MayContainScalar(ref block, keyHigh);
        }

        Masks(keyHigh, out Vector256<ulong> low, out Vector256<ulong> high);
        return Avx.TestC(Vector256.LoadUnsafe(ref block), low)
            & Avx.TestC(Vector256.LoadUnsafe(ref block, 4), high);
    }

    /// <summary>Adds a key; returns whether it seemed to be there already. Only one thread may add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(ulong keyHigh)
    {
        ref ulong block = ref Block(keyHigh);
        if (!Avx2.IsSupported)
        {
            return AddScalar(ref block, keyHigh);
        }

        Masks(keyHigh, out Vector256<ulong> low, out Vector256<ulong> high);
        Vector256<ulong> first = Vector256.LoadUnsafe(ref block);
        Vector256<ulong> second = Vector256.LoadUnsafe(ref block, 4);
        bool known = Avx.TestC(first, low) & Avx.TestC(second, high);
        (first | low).StoreUnsafe(ref block);
        (second | high).StoreUnsafe(ref block, 4);
        return known;
    }

    /// <inheritdoc/>
    public void Dispose() => _words.Dispose();

    /// <summary>The same question without vector instructions; also asked by the test that the two agree.</summary>
    internal bool MayContainScalar(ulong keyHigh) => MayContainScalar(ref Block(keyHigh), keyHigh);

    /// <summary>The same addition without vector instructions.</summary>
    internal bool AddScalar(ulong keyHigh) => AddScalar(ref Block(keyHigh), keyHigh);

    private static bool MayContainScalar(ref ulong block, ulong keyHigh)
    {
        ulong bits = Bits(keyHigh);
        ulong missing = 0;
        for (int i = 0; i < WordsPerBlock; i++)
        {
            missing |= ~Unsafe.Add(ref block, i) & (1UL << (int)((bits >> (6 * i)) & 63));
        }

        return missing == 0;
    }

    private static bool AddScalar(ref ulong block, ulong keyHigh)
    {
        ulong bits = Bits(keyHigh);
        ulong missing = 0;
        for (int i = 0; i < WordsPerBlock; i++)
        {
            ulong mask = 1UL << (int)((bits >> (6 * i)) & 63);
            missing |= ~Unsafe.Add(ref block, i) & mask;
            Unsafe.Add(ref block, i) |= mask;
        }

        return missing == 0;
    }

    private static ulong Bits(ulong keyHigh) => (keyHigh * 0x9E37_79B9_7F4A_7C15) >> 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Masks(ulong keyHigh, out Vector256<ulong> low, out Vector256<ulong> high)
    {
        Vector256<ulong> bits = Vector256.Create(Bits(keyHigh));
        Vector256<ulong> six = Vector256.Create(63UL);
        low = Avx2.ShiftLeftLogicalVariable(
            Vector256<ulong>.One,
            Avx2.ShiftRightLogicalVariable(bits, Vector256.Create(0UL, 6, 12, 18)) & six
        );
        high = Avx2.ShiftLeftLogicalVariable(
            Vector256<ulong>.One,
            Avx2.ShiftRightLogicalVariable(bits, Vector256.Create(24UL, 30, 36, 42)) & six
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref ulong Block(ulong keyHigh) =>
        ref _words[(long)Math.BigMul(keyHigh, _blocks, out _) * WordsPerBlock];
}
