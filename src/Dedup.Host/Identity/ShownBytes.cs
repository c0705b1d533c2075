using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Dedup.Host.Identity;

/// <summary>Bytes for people: text where they are text, else base64.</summary>
internal static class ShownBytes
{
    /// <summary>Longest text that is shown to people; the rest is in --json.</summary>
    private const int MaxShown = 160;

    /// <summary>Whether the bytes are text without control characters.</summary>
    public static bool IsText(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes)
        && !bytes.ContainsAnyInRange((byte)0, (byte)0x1F)
        && !bytes.Contains((byte)0x7F);

    /// <summary>For a line of text: as it is, cut where it is long; bytes that are no text as <c>base64:…</c>.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        string text = IsText(bytes)
            ? Encoding.UTF8.GetString(bytes)
            : "base64:" + Convert.ToBase64String(bytes);
        return text.Length <= MaxShown ? text : $"{text[..MaxShown]}… ({bytes.Length} bytes)";
    }

    /// <summary>Writes a member: a string, or an object with <c>base64</c>.</summary>
    public static void Write(Utf8JsonWriter json, string name, ReadOnlySpan<byte> bytes)
    {
        if (IsText(bytes))
        {
            json.WriteString(name, bytes);
            return;
        }

        json.WriteStartObject(name);
        json.WriteBase64String("base64", bytes);
        json.WriteEndObject();
    }
}
