using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Dedup.Topology.Identify;

namespace Dedup.Host.Identity;

/// <summary>An ID as people read it.</summary>
internal static class IdText
{
    private const int JoinPrefix = 5;

    /// <summary>
    /// Text as it is, canonical JSON as it is, the digest of content in hex; a join as a JSON list, in which text stands in
    /// quotes and JSON does not.
    /// </summary>
    public static byte[] Of(IdKind kind, ReadOnlySpan<byte> id) =>
        kind switch
        {
            IdKind.Content => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(id)),
            IdKind.Join => Join(id),
            _ => id.ToArray(),
        };

    /// <summary>The name of a kind, as in the test vectors.</summary>
    public static string NameOf(IdKind kind) => kind.ToString().ToLowerInvariant();

    // | kind u8 | length u32 little-endian | bytes | for each part; see JoinSource.
    private static byte[] Join(ReadOnlySpan<byte> id)
    {
        using var buffer = new MemoryStream();
        buffer.WriteByte((byte)'[');
        while (id.Length >= JoinPrefix)
        {
            var kind = (IdKind)id[0];
            int length = BinaryPrimitives.ReadInt32LittleEndian(id[1..]);
            ReadOnlySpan<byte> part = id.Slice(JoinPrefix, length);
            id = id[(JoinPrefix + length)..];
            byte[] text = Of(kind, part);
            string shown = ShownBytes.IsText(text)
                ? Encoding.UTF8.GetString(text)
                : "base64:" + Convert.ToBase64String(text);
            buffer.Write(
                kind is IdKind.Json or IdKind.Join
                    ? text
                    : Encoding.UTF8.GetBytes(
                        $"\"{JsonEncodedText.Encode(shown, JsonFormatEncoder)}\""
                    )
            );
            if (!id.IsEmpty)
            {
                buffer.WriteByte((byte)',');
            }
        }

        buffer.WriteByte((byte)']');
        return buffer.ToArray();
    }

    private static System.Text.Encodings.Web.JavaScriptEncoder JsonFormatEncoder =>
        System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
}
