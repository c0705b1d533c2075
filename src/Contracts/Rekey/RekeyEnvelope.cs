using System.Buffers.Binary;

namespace Dedup.Contracts.Rekey;

/// <summary>What the first hop found when it validated a payload (<c>validate: true</c>).</summary>
public enum PayloadCheck : byte
{
    /// <summary>It did not: the pipeline does not validate, or the record is refused for something else.</summary>
    None = 0,

    /// <summary>It is what it claims to be, or has nothing to be checked.</summary>
    Valid = 1,

    /// <summary>It is not.</summary>
    Invalid = 2,

    /// <summary>It could not be told then.</summary>
    Unavailable = 3,
}

/// <summary>
/// What the first hop of <c>partitioning: by-id</c> puts before a record's key on the repartition topic, so that the second
/// hop can judge the original record. Value and headers travel as they are.
/// </summary>
/// <remarks>
/// <code>
/// 0         1       2           6        14          22      30
/// | version | flags | partition | offset | timestamp | clock | the record's own key      little-endian
/// flags: bit 0 = the record's own key is null, bits 1 and 2 = PayloadCheck
/// </code>
/// Before the key, which is short and has to be copied anyway: a header would have to be made and parsed for each record, and a
/// record that carries one of the same name already could not be given back byte for byte.
/// </remarks>
/// <param name="Partition">Partition of the input that the record lies in.</param>
/// <param name="Offset">Its offset there.</param>
/// <param name="TimestampMs">Its timestamp as it came; -1 when missing.</param>
/// <param name="ClockMs">
/// Window clock of that partition and of the record's class, this record included: highest bounded timestamp seen, -1 before
/// the first.
/// </param>
/// <param name="KeyIsNull">Whether the record's own key is null.</param>
/// <param name="Check">Whether its payload was validated.</param>
public readonly record struct RekeyEnvelope(
    int Partition,
    long Offset,
    long TimestampMs,
    long ClockMs,
    bool KeyIsNull,
    PayloadCheck Check = PayloadCheck.None
)
{
    /// <summary>Version written by this code; not a first byte that text has, so that a foreign record is told from ours.</summary>
    public const byte Version = 0xD1;

    /// <summary>Bytes before the record's own key.</summary>
    public const int Size = 30;

    /// <summary>Highest partition of an input that <see cref="SourcePlace"/> can name.</summary>
    public const int MaxPartition = SourcePlace.MaxPartition;

    private const byte NullKey = 1;
    private const int CheckShift = 1;
    private const byte MostFlags = NullKey | ((int)PayloadCheck.Unavailable << CheckShift);

    /// <summary>Writes the envelope into the first <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> target)
    {
        target[0] = Version;
        target[1] = (byte)((KeyIsNull ? NullKey : 0) | ((int)Check << CheckShift));
        BinaryPrimitives.WriteInt32LittleEndian(target[2..], Partition);
        BinaryPrimitives.WriteInt64LittleEndian(target[6..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(target[14..], TimestampMs);
        BinaryPrimitives.WriteInt64LittleEndian(target[22..], ClockMs);
    }

    /// <summary>Reads the envelope of a key of the repartition topic; false when Dedup did not write it. Never throws.</summary>
    public static bool TryRead(ReadOnlySpan<byte> key, out RekeyEnvelope envelope)
    {
        envelope = default;
        if (key.Length < Size || key[0] != Version || key[1] > MostFlags)
        {
            return false;
        }

        envelope = new RekeyEnvelope(
            BinaryPrimitives.ReadInt32LittleEndian(key[2..]),
            BinaryPrimitives.ReadInt64LittleEndian(key[6..]),
            BinaryPrimitives.ReadInt64LittleEndian(key[14..]),
            BinaryPrimitives.ReadInt64LittleEndian(key[22..]),
            (key[1] & NullKey) != 0,
            (PayloadCheck)(key[1] >> CheckShift)
        );
        return envelope.Partition is >= 0 and <= MaxPartition
            && envelope.Offset >= 0
            && (!envelope.KeyIsNull || key.Length == Size);
    }
}

/// <summary>
/// Partition and offset of an input record in the 64 bits that <c>SeenEntry</c> has for its place, where records of several
/// input partitions are judged together.
/// </summary>
/// <remarks>
/// <code>
/// 63      16         0
/// | offset | partition |      the partition in the low bits, so that neighbouring offsets stay short in a chunk
/// </code>
/// 47 bits of offset: at a million records a second a partition gets there after four years; beyond it names are wrong,
/// judgements are not, since nothing is decided by a place.
/// </remarks>
public static class SourcePlace
{
    /// <summary>Highest partition that can be named: 16 bits.</summary>
    public const int MaxPartition = 0xFFFF;

    /// <summary>Packs a place.</summary>
    public static long Pack(int partition, long offset) => (offset << 16) | (uint)partition;

    /// <summary>Partition of a place.</summary>
    public static int PartitionOf(long place) => (int)(place & MaxPartition);

    /// <summary>Offset of a place.</summary>
    public static long OffsetOf(long place) => place >> 16;
}
