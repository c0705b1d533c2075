using System.Buffers.Binary;
using Dedup.Contracts.Identity;

namespace Dedup.Contracts.Changelog;

/// <summary>Writes the value of a changelog chunk: the IDs of one transaction, one partition, and one bucket, packed.</summary>
/// <remarks>
/// <code>
/// 0         1       2        6           14
/// | version | flags | count  | base seen | entries ...      count and base little-endian
/// entry: key 16 bytes | zigzag varint (seen - base) | varint (offset - offset of the entry before, from 0) | [tag 4] | [fingerprint 8]
/// flags: 1 = tags present, 2 = fingerprints present
/// </code>
/// About 19 bytes for an ID, where a record of its own would cost over 80 on the broker.
/// </remarks>
public ref struct ChunkWriter
{
    /// <summary>Version written by this code.</summary>
    public const byte Version = 1;

    /// <summary>The most bytes that one entry can take: 16 + 10 + 10 + 4 + 8.</summary>
    public const int MaxEntrySize = 48;

    /// <summary>Bytes before the first entry.</summary>
    public const int HeaderSize = 14;

    internal const byte HasTags = 1;
    internal const byte HasFingerprints = 2;

    private readonly Span<byte> _target;
    private readonly byte _flags;
    private readonly long _baseSeenMs;
    private int _length;
    private int _count;
    private long _previousOffset;

    /// <summary>Begins a chunk.</summary>
    /// <param name="target">Where to write; at least <see cref="HeaderSize"/> bytes.</param>
    /// <param name="baseSeenMs">A time near those of the entries, so that differences are short.</param>
    /// <param name="withTags">Whether entries carry scope tags.</param>
    /// <param name="withFingerprints">Whether entries carry fingerprints.</param>
    public ChunkWriter(Span<byte> target, long baseSeenMs, bool withTags, bool withFingerprints)
    {
        _target = target;
        _baseSeenMs = baseSeenMs;
        _flags = (byte)((withTags ? HasTags : 0) | (withFingerprints ? HasFingerprints : 0));
        _length = HeaderSize;
        target[0] = Version;
        target[1] = _flags;
        BinaryPrimitives.WriteInt32LittleEndian(target[2..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(target[6..], baseSeenMs);
    }

    /// <summary>Bytes written so far.</summary>
    public readonly int Length => _length;

    /// <summary>Entries written so far.</summary>
    public readonly int Count => _count;

    /// <summary>Appends an entry; false (and nothing written) when it might not fit.</summary>
    public bool TryAdd(in EventKey key, in SeenEntry entry)
    {
        if (_length + MaxEntrySize > _target.Length)
        {
            return false;
        }

        Span<byte> at = _target[_length..];
        key.Write(at);
        int n = EventKey.Size;
        n += Varint.Write(at[n..], Varint.ZigZag(entry.SeenMs - _baseSeenMs));
        n += Varint.Write(at[n..], Varint.ZigZag(entry.SourceOffset - _previousOffset));
        if ((_flags & HasTags) != 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(at[n..], entry.ScopeTag);
            n += 4;
        }

        if ((_flags & HasFingerprints) != 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at[n..], entry.Fingerprint);
            n += 8;
        }

        _previousOffset = entry.SourceOffset;
        _length += n;
        _count++;
        BinaryPrimitives.WriteInt32LittleEndian(_target[2..], _count);
        return true;
    }
}

/// <summary>Reads the value of a changelog chunk. Never throws on hostile bytes: <see cref="TryNext"/> ends and <see cref="IsCorrupt"/> says why.</summary>
public ref struct ChunkReader
{
    private readonly ReadOnlySpan<byte> _source;
    private readonly byte _flags;
    private readonly long _baseSeenMs;
    private int _position;
    private int _remaining;
    private long _previousOffset;

    /// <summary>Begins to read a chunk's value.</summary>
    public ChunkReader(ReadOnlySpan<byte> source)
    {
        _source = source;
        if (
            source.Length < ChunkWriter.HeaderSize
            || source[0] != ChunkWriter.Version
            || source[1] > 3
        )
        {
            IsCorrupt = true;
            return;
        }

        _flags = source[1];
        _remaining = BinaryPrimitives.ReadInt32LittleEndian(source[2..]);
        _baseSeenMs = BinaryPrimitives.ReadInt64LittleEndian(source[6..]);
        _position = ChunkWriter.HeaderSize;
        // An entry takes at least 18 bytes: a larger count cannot be true, and a caller may size memory by it.
        if (_remaining < 0 || _remaining > (source.Length - ChunkWriter.HeaderSize) / 18)
        {
            IsCorrupt = true;
            _remaining = 0;
        }

        Count = _remaining;
    }

    /// <summary>Entries in the chunk.</summary>
    public int Count { get; }

    /// <summary>Whether the bytes are not a chunk of a known version, or end early.</summary>
    public bool IsCorrupt { get; private set; }

    /// <summary>The next entry; false at the end or when the bytes are corrupt.</summary>
    public bool TryNext(out EventKey key, out SeenEntry entry)
    {
        key = default;
        entry = default;
        if (_remaining == 0 || IsCorrupt)
        {
            return false;
        }

        ReadOnlySpan<byte> at = _source[_position..];
        int tail =
            ((_flags & ChunkWriter.HasTags) != 0 ? 4 : 0)
            + ((_flags & ChunkWriter.HasFingerprints) != 0 ? 8 : 0);
        if (at.Length < EventKey.Size)
        {
            IsCorrupt = true;
            return false;
        }

        int n = EventKey.Size;
        int a = Varint.Read(at[n..], out ulong seen);
        n += a;
        int b = a == 0 ? 0 : Varint.Read(at[n..], out _);
        if (a == 0 || b == 0 || at.Length < n + b + tail)
        {
            IsCorrupt = true;
            return false;
        }

        _ = Varint.Read(at[n..], out ulong offset);
        n += b;
        uint tag = 0;
        ulong fingerprint = 0;
        if ((_flags & ChunkWriter.HasTags) != 0)
        {
            tag = BinaryPrimitives.ReadUInt32LittleEndian(at[n..]);
            n += 4;
        }

        if ((_flags & ChunkWriter.HasFingerprints) != 0)
        {
            fingerprint = BinaryPrimitives.ReadUInt64LittleEndian(at[n..]);
            n += 8;
        }

        key = EventKey.Read(at);
        _previousOffset += Varint.UnZigZag(offset);
        entry = new SeenEntry(
            _baseSeenMs + Varint.UnZigZag(seen),
            _previousOffset,
            fingerprint,
            tag
        );
        _position += n;
        _remaining--;
        return true;
    }
}
