using System.Runtime.InteropServices;
using Dedup.Topology.Records;

namespace Dedup.Audit.Contents;

/// <summary>Parts of a record that the pipeline has to leave alone.</summary>
[Flags]
public enum RecordParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Key, null and empty being different.</summary>
    Key = 1,

    /// <summary>Value, null and empty being different.</summary>
    Value = 2,

    /// <summary>Headers: names, values, nulls, order, repeats.</summary>
    Headers = 4,

    /// <summary>Timestamp.</summary>
    Timestamp = 8,
}

/// <summary>What a record contains, as hashes of its parts. Two records are equal byte for byte when all four are equal.</summary>
/// <remarks>
/// <code>
/// 0             8       16    20        24
/// | TimestampMs | Value | Key | Headers |
/// </code>
/// Contents are only ever compared between records that should be the same one, so that 64 bits for the value and 32 for
/// key and headers make a damage that goes unseen rarer than one in 10^9 damages.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct RecordContents : IEquatable<RecordContents>
{
    public long TimestampMs;
    public ulong Value;
    public uint Key;
    public uint Headers;

    public static void Of(in RecordView record, out RecordContents contents) =>
        Of(record, record.Batch.HeaderCount(record.Index), out contents);

    /// <summary>Contents with the first <paramref name="headers"/> headers only: what was there before Dedup added some.</summary>
    public static void Of(in RecordView record, int headers, out RecordContents contents)
    {
        contents = WithoutHeaders(record);
        contents.Headers = Fold(HashHeaders(record, headers));
    }

    /// <summary>Contents but for the headers, which are 0.</summary>
    public static RecordContents WithoutHeaders(in RecordView record) =>
        new()
        {
            TimestampMs = record.TimestampMs,
            Value = record.ValueIsNull ? 0 : ContentHash.Of(record.Value, ContentHash.ValueSeed),
            Key = record.KeyIsNull ? 0 : Fold(ContentHash.Of(record.Key, ContentHash.KeySeed)),
        };

    /// <summary>The hash of the first <paramref name="headers"/> headers, to which others can be added.</summary>
    public static ulong HashHeaders(in RecordView record, int headers)
    {
        ulong hash = 0;
        for (int i = 0; i < headers; i++)
        {
            record.Batch.GetHeader(
                record.Index,
                i,
                out ReadOnlySpan<byte> name,
                out ReadOnlySpan<byte> value,
                out bool isNull
            );
            // Chained, so that order and repeats count; a null has a number that no value has by construction.
            hash = ContentHash.Of(name, hash + 1);
            hash = isNull ? ContentHash.Of(default, ~hash) : ContentHash.Of(value, hash);
        }

        return hash;
    }

    /// <summary>The hash with one more header behind the others.</summary>
    public static ulong AddHeader(ulong hash, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        ContentHash.Of(value, ContentHash.Of(name, hash + 1));

    /// <summary>What <see cref="Headers"/> keeps of a hash.</summary>
    public static uint Fold(ulong hash) => (uint)(hash ^ (hash >> 32));

    /// <summary>The parts in which two records differ.</summary>
    public readonly RecordParts Differences(in RecordContents other) =>
        (Key == other.Key ? 0 : RecordParts.Key)
        | (Value == other.Value ? 0 : RecordParts.Value)
        | (Headers == other.Headers ? 0 : RecordParts.Headers)
        | (TimestampMs == other.TimestampMs ? 0 : RecordParts.Timestamp);

    public readonly bool Equals(RecordContents other) =>
        TimestampMs == other.TimestampMs
        && Value == other.Value
        && Key == other.Key
        && Headers == other.Headers;

    public override readonly bool Equals(object? obj) =>
        obj is RecordContents other && Equals(other);

    public override readonly int GetHashCode() =>
        HashCode.Combine(TimestampMs, Value, Key, Headers);
}
