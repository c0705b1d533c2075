using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Dedup.Contracts.Changelog;

/// <summary>Wire format of the marker.</summary>
/// <remarks>
/// <code>
/// version 1, 2, or 3 | recipe u64 | hash key 2 x u64 | partition count u32 | input offset i64 | control position i64
/// | cluster | topic id | writer                                  each: u16 length, UTF-8
/// | u16 n, n x class:  id u16 | name | window i64 | grace i64 | width i64 | clock i64
/// | u16 n, n x bucket: class u16 | index i64 | next i64 | tombstoned i64
/// | u16 n, n x count:  name | i64
/// | u8: 1 with sources, else 0                                                             version 3 only
/// | u16 n, n x attention: class u16 | attention i64 | written i64                          with sources
/// | u32 n, n x source: class u16 | partition u32 | clock i64 | seen at i64                 with sources
/// | u32 length, usage by tenant as UsageCodec has it                                       version 3 only
/// | checksum u32: FNV-1a over all before                          numbers little-endian
/// </code>
/// Version 3 is written where the scope has a tenant, else version 2 where input partitions meet (partitioning: by-id), else
/// version 1. Only version 2 and 3 can have sources.
/// The checksum guards the copy in the store's header as well, which no Kafka batch checksum protects.
/// </remarks>
public static class MarkerCodec
{
    /// <summary>Version of markers without sources.</summary>
    public const byte Version = 1;

    /// <summary>Version of markers with the clocks of several input partitions.</summary>
    public const byte VersionWithSources = 2;

    /// <summary>Version of markers with usage by tenant.</summary>
    public const byte VersionWithUsage = 3;

    /// <summary>The reserved key of markers.</summary>
    public static ReadOnlySpan<byte> Key => [0x00];

    /// <summary>Whether a changelog key is the marker's.</summary>
    public static bool IsMarkerKey(ReadOnlySpan<byte> key) => key.Length == 1 && key[0] == 0x00;

    /// <summary>Appends the marker's value to <paramref name="writer"/>.</summary>
    public static void Write(Marker marker, ArrayBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(marker);
        ArgumentNullException.ThrowIfNull(writer);
        int start = writer.WrittenCount;
        writer.Write([VersionOf(marker)]);
        U64(writer, marker.RecipeVersion);
        U64(writer, marker.HashKey0);
        U64(writer, marker.HashKey1);
        U32(writer, (uint)marker.PartitionCount);
        I64(writer, marker.InputOffset);
        I64(writer, marker.ControlPosition);
        Text(writer, marker.ClusterId);
        Text(writer, marker.InputTopicId);
        Text(writer, marker.Writer);
        U16(writer, marker.Classes.Length);
        foreach (MarkerClass c in marker.Classes)
        {
            U16(writer, c.Id);
            Text(writer, c.Name);
            I64(writer, c.WindowMs);
            I64(writer, c.GraceMs);
            I64(writer, c.BucketWidthMs);
            I64(writer, c.ClockMs);
        }

        U16(writer, marker.Buckets.Length);
        foreach (MarkerBucket b in marker.Buckets)
        {
            U16(writer, b.Id.Class);
            I64(writer, b.Id.Index);
            I64(writer, b.NextSequence);
            I64(writer, b.TombstonedBelow);
        }

        U16(writer, marker.Counts.Length);
        foreach (KeyValuePair<string, long> count in marker.Counts)
        {
            Text(writer, count.Key);
            I64(writer, count.Value);
        }

        if (marker.Usage is not null)
        {
            writer.Write([(byte)(marker.Sources is null ? 0 : 1)]);
        }

        if (marker.Sources is not null)
        {
            Write(marker.Sources, writer);
        }

        if (marker.Usage is not null)
        {
            var usage = new ArrayBufferWriter<byte>(1024);
            UsageCodec.Write(marker.Usage, usage);
            U32(writer, (uint)usage.WrittenCount);
            writer.Write(usage.WrittenSpan);
        }

        U32(writer, Checksum(writer.WrittenSpan[start..]));
    }

    /// <summary>Reads a marker; null when the bytes are not a whole marker of a known version. Never throws.</summary>
    public static Marker? TryRead(ReadOnlySpan<byte> source)
    {
        if (source.Length < 5 || source[0] is < Version or > VersionWithUsage)
        {
            return null;
        }

        ReadOnlySpan<byte> body = source[..^4];
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[^4..]) != Checksum(body))
        {
            return null;
        }

        var reader = new FieldReader(body[1..]);
        ulong recipe = reader.U64();
        ulong key0 = reader.U64();
        ulong key1 = reader.U64();
        int partitions = (int)reader.U32();
        long offset = reader.I64();
        long control = reader.I64();
        string cluster = reader.Text();
        string topic = reader.Text();
        string writer = reader.Text();
        var classes = ImmutableArray.CreateBuilder<MarkerClass>();
        for (int n = reader.U16(); n > 0 && !reader.Failed; n--)
        {
            classes.Add(
                new MarkerClass(
                    reader.U16(),
                    reader.Text(),
                    reader.I64(),
                    reader.I64(),
                    reader.I64(),
                    reader.I64()
                )
            );
        }

        var buckets = ImmutableArray.CreateBuilder<MarkerBucket>();
        for (int n = reader.U16(); n > 0 && !reader.Failed; n--)
        {
            buckets.Add(
                new MarkerBucket(
                    new BucketId(reader.U16(), reader.I64()),
                    reader.I64(),
                    reader.I64()
                )
            );
        }

        var counts = ImmutableArray.CreateBuilder<KeyValuePair<string, long>>();
        for (int n = reader.U16(); n > 0 && !reader.Failed; n--)
        {
            counts.Add(new KeyValuePair<string, long>(reader.Text(), reader.I64()));
        }

        bool hasUsage = source[0] == VersionWithUsage;
        bool hasSources = hasUsage ? reader.U8() == 1 : source[0] == VersionWithSources;
        MarkerSources? sources = hasSources ? Sources(ref reader) : null;
        MarkerUsage? usage = hasUsage ? UsageCodec.TryRead(reader.Bytes()) : null;
        if (reader.Failed || reader.Remaining != 0 || (hasUsage && usage is null))
        {
            return null;
        }

        return new Marker
        {
            RecipeVersion = recipe,
            HashKey0 = key0,
            HashKey1 = key1,
            PartitionCount = partitions,
            InputOffset = offset,
            ControlPosition = control,
            ClusterId = cluster,
            InputTopicId = topic,
            Writer = writer,
            Classes = classes.ToImmutable(),
            Buckets = buckets.ToImmutable(),
            Counts = counts.ToImmutable(),
            Sources = sources,
            Usage = usage,
        };
    }

    private static byte VersionOf(Marker marker) =>
        marker.Usage is not null ? VersionWithUsage
        : marker.Sources is not null ? VersionWithSources
        : Version;

    private static void Write(MarkerSources sources, ArrayBufferWriter<byte> writer)
    {
        U16(writer, sources.Attention.Length);
        foreach (MarkerAttention a in sources.Attention)
        {
            U16(writer, a.Class);
            I64(writer, a.AttentionMs);
            I64(writer, a.WrittenMs);
        }

        U32(writer, (uint)sources.Clocks.Length);
        foreach (MarkerSource s in sources.Clocks)
        {
            U16(writer, s.Class);
            U32(writer, (uint)s.Partition);
            I64(writer, s.ClockMs);
            I64(writer, s.SeenAtMs);
        }
    }

    private static MarkerSources Sources(ref FieldReader reader)
    {
        var attention = ImmutableArray.CreateBuilder<MarkerAttention>();
        for (int n = reader.U16(); n > 0 && !reader.Failed; n--)
        {
            attention.Add(new MarkerAttention(reader.U16(), reader.I64(), reader.I64()));
        }

        var clocks = ImmutableArray.CreateBuilder<MarkerSource>();
        for (uint n = reader.U32(); n > 0 && !reader.Failed; n--)
        {
            clocks.Add(
                new MarkerSource(
                    reader.U16(),
                    (int)(reader.U32() & int.MaxValue),
                    reader.I64(),
                    reader.I64()
                )
            );
        }

        return new MarkerSources(attention.ToImmutable(), clocks.ToImmutable());
    }

    private static void U16(ArrayBufferWriter<byte> writer, int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(writer.GetSpan(2), checked((ushort)value));
        writer.Advance(2);
    }

    private static void U32(ArrayBufferWriter<byte> writer, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(writer.GetSpan(4), value);
        writer.Advance(4);
    }

    private static void U64(ArrayBufferWriter<byte> writer, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(writer.GetSpan(8), value);
        writer.Advance(8);
    }

    private static void I64(ArrayBufferWriter<byte> writer, long value) =>
        U64(writer, (ulong)value);

    private static void Text(ArrayBufferWriter<byte> writer, string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        U16(writer, length);
        Encoding.UTF8.GetBytes(text, writer.GetSpan(length));
        writer.Advance(length);
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 16777619;
        }

        return hash;
    }

    private ref struct FieldReader(ReadOnlySpan<byte> source)
    {
        private ReadOnlySpan<byte> _rest = source;

        public bool Failed { get; private set; }

        public readonly int Remaining => _rest.Length;

        public byte U8() => Take(1, out ReadOnlySpan<byte> b) ? b[0] : (byte)0;

        public ReadOnlySpan<byte> Bytes()
        {
            _ = Take((int)Math.Min(U32(), int.MaxValue), out ReadOnlySpan<byte> bytes);
            return bytes;
        }

        public ushort U16() =>
            Take(2, out ReadOnlySpan<byte> b)
                ? BinaryPrimitives.ReadUInt16LittleEndian(b)
                : (ushort)0;

        public uint U32() =>
            Take(4, out ReadOnlySpan<byte> b) ? BinaryPrimitives.ReadUInt32LittleEndian(b) : 0;

        public ulong U64() =>
            Take(8, out ReadOnlySpan<byte> b) ? BinaryPrimitives.ReadUInt64LittleEndian(b) : 0;

        public long I64() => (long)U64();

        public string Text() =>
            Take(U16(), out ReadOnlySpan<byte> b) ? Encoding.UTF8.GetString(b) : "";

        private bool Take(int length, out ReadOnlySpan<byte> bytes)
        {
            if (_rest.Length < length)
            {
                Failed = true;
                _rest = [];
                bytes = [];
                return false;
            }

            bytes = _rest[..length];
            _rest = _rest[length..];
            return true;
        }
    }
}
