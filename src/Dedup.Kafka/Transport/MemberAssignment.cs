using System.Buffers.Binary;
using System.Text;

namespace Dedup.Kafka.Transport;

/// <summary>What a member of a group was given, as the group's leader wrote it (ConsumerProtocolAssignment of Kafka).</summary>
/// <remarks>
/// Big endian:
/// <code>
/// int16 version | int32 topics | topics × ( int16 length, name | int32 partitions | partitions × int32 ) | user data
/// </code>
/// </remarks>
internal static class MemberAssignment
{
    /// <summary>
    /// Adds the partitions of a topic. False when the bytes are none of that form; nothing at all is a member without
    /// partitions.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, string topic, HashSet<int> partitions)
    {
        if (bytes.IsEmpty)
        {
            return true;
        }

        byte[] wanted = Encoding.UTF8.GetBytes(topic);
        if (!TryTake(ref bytes, sizeof(short), out _) || !TryTakeInt(ref bytes, out int topics))
        {
            return false;
        }

        for (int t = 0; t < topics; t++)
        {
            if (
                !TryTake(ref bytes, sizeof(short), out ReadOnlySpan<byte> length)
                || !TryTake(
                    ref bytes,
                    BinaryPrimitives.ReadInt16BigEndian(length),
                    out ReadOnlySpan<byte> name
                )
                || !TryTakeInt(ref bytes, out int count)
            )
            {
                return false;
            }

            bool isWanted = name.SequenceEqual(wanted);
            for (int p = 0; p < count; p++)
            {
                if (!TryTakeInt(ref bytes, out int partition))
                {
                    return false;
                }

                if (isWanted)
                {
                    _ = partitions.Add(partition);
                }
            }
        }

        return true;
    }

    private static bool TryTakeInt(ref ReadOnlySpan<byte> bytes, out int value)
    {
        bool isThere = TryTake(ref bytes, sizeof(int), out ReadOnlySpan<byte> taken);
        value = isThere ? BinaryPrimitives.ReadInt32BigEndian(taken) : 0;
        return isThere && value >= 0;
    }

    private static bool TryTake(
        ref ReadOnlySpan<byte> bytes,
        int length,
        out ReadOnlySpan<byte> taken
    )
    {
        if (length < 0 || length > bytes.Length)
        {
            taken = default;
            return false;
        }

        taken = bytes[..length];
        bytes = bytes[length..];
        return true;
    }
}
