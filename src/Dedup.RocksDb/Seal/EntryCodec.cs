using System.Buffers.Binary;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;

namespace Dedup.RocksDb.Seal;

/// <summary>The value of an ID in RocksDB.</summary>
/// <remarks>
/// <code>
/// flags 1 byte | zigzag varint SeenMs | zigzag varint SourceOffset | [tag 4] | [fingerprint 8]     little-endian
/// flags: 1 = tag present, 2 = fingerprint present; others must be 0
/// </code>
/// About 11 bytes, 28 in memory.
/// </remarks>
internal static class EntryCodec
{
    /// <summary>The most bytes that a value takes.</summary>
    public const int MaxSize = 1 + Varint.MaxSize + Varint.MaxSize + 4 + 8;

    private const byte HasTag = 1;
    private const byte HasFingerprint = 2;

    /// <summary>Writes a value; returns its length.</summary>
    public static int Write(in SeenEntry entry, Span<byte> target)
    {
        int n = 1;
        byte flags = 0;
        n += Varint.Write(target[n..], Varint.ZigZag(entry.SeenMs));
        n += Varint.Write(target[n..], Varint.ZigZag(entry.SourceOffset));
        if (entry.ScopeTag != 0)
        {
            flags |= HasTag;
            BinaryPrimitives.WriteUInt32LittleEndian(target[n..], entry.ScopeTag);
            n += 4;
        }

        if (entry.Fingerprint != 0)
        {
            flags |= HasFingerprint;
            BinaryPrimitives.WriteUInt64LittleEndian(target[n..], entry.Fingerprint);
            n += 8;
        }

        target[0] = flags;
        return n;
    }

    /// <summary>Reads a value; false when the bytes are not exactly one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out SeenEntry entry)
    {
        entry = default;
        if (source.Length < 3 || source[0] > (HasTag | HasFingerprint))
        {
            return false;
        }

        byte flags = source[0];
        int tail = ((flags & HasTag) != 0 ? 4 : 0) + ((flags & HasFingerprint) != 0 ? 8 : 0);
        int n = 1;
        int a = Varint.Read(source[n..], out ulong seen);
        n += a;
        int b = Varint.Read(source[n..], out ulong offset);
        n += b;
        if (a == 0 || b == 0 || source.Length != n + tail)
        {
            return false;
        }

        uint tag = 0;
        if ((flags & HasTag) != 0)
        {
            tag = BinaryPrimitives.ReadUInt32LittleEndian(source[n..]);
            n += 4;
        }

        ulong fingerprint =
            (flags & HasFingerprint) != 0
                ? BinaryPrimitives.ReadUInt64LittleEndian(source[n..])
                : 0;
        entry = new SeenEntry(Varint.UnZigZag(seen), Varint.UnZigZag(offset), fingerprint, tag);
        return true;
    }
}
