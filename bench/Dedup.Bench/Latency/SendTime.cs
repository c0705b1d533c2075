using System.Buffers.Binary;

namespace Dedup.Bench.Latency;

/// <summary>The moment of sending, in the last bytes of a payload.</summary>
internal static class SendTime
{
    public static void Write(Span<byte> value, long timestamp) =>
        BinaryPrimitives.WriteInt64LittleEndian(value[^8..], timestamp);

    public static long Read(ReadOnlySpan<byte> value) =>
        BinaryPrimitives.ReadInt64LittleEndian(value[^8..]);
}
