using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using Dedup.Contracts.Identity;

namespace Dedup.Topology.Identify;

/// <summary>
/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012; reference implementation siphash.c with outlen 16).
/// Keyed: who does not know the key cannot make two IDs meet.
/// </summary>
/// <param name="k0">Key bytes 0 to 7, little-endian.</param>
/// <param name="k1">Key bytes 8 to 15, little-endian.</param>
public readonly struct SipHash(ulong k0, ulong k1)
{
    private readonly ulong _k0 = k0;
    private readonly ulong _k1 = k1;

    /// <summary>First half of the key.</summary>
    public ulong K0 => _k0;

    /// <summary>Second half of the key.</summary>
    public ulong K1 => _k1;

    /// <summary>Hashes the bytes. Hot path: no allocation.</summary>
    public EventKey Hash(ReadOnlySpan<byte> data)
    {
        ulong v0 = 0x736f6d6570736575UL ^ _k0;
        ulong v1 = 0x646f72616e646f6dUL ^ _k1 ^ 0xee;
        ulong v2 = 0x6c7967656e657261UL ^ _k0;
        ulong v3 = 0x7465646279746573UL ^ _k1;
        int length = data.Length;
        while (data.Length >= 8)
        {
            ulong m = BinaryPrimitives.ReadUInt64LittleEndian(data);
            v3 ^= m;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= m;
            data = data[8..];
        }

        ulong last = (ulong)(byte)length << 56;
        for (int i = 0; i < data.Length; i++)
        {
            last |= (ulong)data[i] << (8 * i);
        }

        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;

        v2 ^= 0xee;
        Final(ref v0, ref v1, ref v2, ref v3);
        ulong first = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xdd;
        Final(ref v0, ref v1, ref v2, ref v3);
        ulong second = v0 ^ v1 ^ v2 ^ v3;
        // The reference writes both words little-endian; the key is those 16 bytes in order.
        return new EventKey(
            BinaryPrimitives.ReverseEndianness(first),
            BinaryPrimitives.ReverseEndianness(second)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Final(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13);
        v1 ^= v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16);
        v3 ^= v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21);
        v3 ^= v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17);
        v1 ^= v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
