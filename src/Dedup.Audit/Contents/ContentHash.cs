using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Dedup.Audit.Contents;

/// <summary>
/// A 64-bit hash by folded multiplication (after wyhash, Wang Yi, public domain). It only has to make accidents visible:
/// event IDs, which an enemy could choose, are named by the keyed hash of the recipe.
/// </summary>
internal static class ContentHash
{
    public const ulong KeySeed = 0x9ae16a3b2f90404f;
    public const ulong ValueSeed = 0xc3a5c85c97cb3127;

    // Secrets of wyhash final 4.
    private const ulong S0 = 0x2d358dccaa6c78a5;
    private const ulong S1 = 0x8bb84b93962eacc9;
    private const ulong S2 = 0x4b33a62ed433d4a3;

    /// <summary>Hashes the bytes; never 0, which stands for null.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong hash = seed ^ Mix(seed ^ S0, S1);
        int length = bytes.Length;
        while (bytes.Length >= 16)
        {
            hash = Mix(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ S1,
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ hash
            );
            bytes = bytes[16..];
        }

        ulong a = 0;
        ulong b = 0;
        if (bytes.Length >= 8)
        {
            a = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            bytes = bytes[8..];
        }

        for (int i = 0; i < bytes.Length; i++)
        {
            b |= (ulong)bytes[i] << (8 * i);
        }

        hash = Mix(S2 ^ a ^ (ulong)length, hash ^ b ^ S0);
        return Math.Max(1, Mix(hash ^ S1, (ulong)length ^ S2));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
