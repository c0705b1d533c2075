using System.Security.Cryptography;
using System.Text;

namespace Dedup.Topology.Identify;

/// <summary>The form of an identity that people and other services see.</summary>
/// <remarks>
/// <c>{prefix}:{service}:{event_type}:{hash}</c>, with <c>{tenant}:</c> before it where a tenant is set; in each part <c>:</c> is
/// <c>%3A</c> and <c>%</c> is <c>%25</c>. The hash is lowercase hex: of content the digest itself; of bytes or text from the first
/// source their SHA-256; of everything else the SHA-256 of <c>0xFF, tag, ID</c> (tag: position of the source × 4 + kind), so that
/// the text 1 and the number 1, or the same text from another source, do not meet. 0xFF never begins a text.
/// </remarks>
public static class VisibleKey
{
    /// <summary>Digits of the hash.</summary>
    public const int HashLength = 64;

    /// <summary>Writes the hash of the ID that the scratch holds: 64 hex digits.</summary>
    public static void WriteHash(IdScratch scratch, Span<byte> target)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        if (scratch.Kind == IdKind.Content)
        {
            scratch.Id.CopyTo(digest);
        }
        else if (scratch is { Kind: IdKind.Bytes, Source: 0 })
        {
            scratch.Sha256(scratch.Id, digest);
        }
        else
        {
            ReadOnlySpan<byte> id = scratch.Id;
            Span<byte> tagged = scratch.Tagged(id.Length + 2);
            tagged[0] = 0xFF;
            tagged[1] = (byte)((scratch.Source << 2) | (int)scratch.Kind);
            id.CopyTo(tagged[2..]);
            scratch.Sha256(tagged, digest);
        }

        _ = Convert.TryToHexStringLower(digest, target, out _);
    }

    /// <summary>Most bytes that <see cref="Write"/> needs for what the scratch holds.</summary>
    public static int MaxLength(IdScratch scratch, ReadOnlySpan<byte> prefix) =>
        (3 * (prefix.Length + scratch.Tenant.Length + scratch.Service.Length + scratch.Type.Length))
        + HashLength
        + 4;

    /// <summary>Writes the visible key of the record that was identified last. Hot path: no allocation.</summary>
    /// <returns>Its length.</returns>
    public static int Write(IdScratch scratch, ReadOnlySpan<byte> prefix, Span<byte> target)
    {
        int at = scratch.Tenant.IsEmpty ? 0 : Part(scratch.Tenant, target);
        at += Part(prefix, target[at..]);
        at += Part(scratch.Service, target[at..]);
        at += Part(scratch.Type, target[at..]);
        WriteHash(scratch, target[at..]);
        return at + HashLength;
    }

    /// <summary>The visible key as a string; for tools.</summary>
    public static string Of(IdScratch scratch, string prefix)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(prefix);
        byte[] target = new byte[MaxLength(scratch, utf8)];
        return Encoding.UTF8.GetString(target, 0, Write(scratch, utf8, target));
    }

    private static int Part(ReadOnlySpan<byte> part, Span<byte> target)
    {
        int at = 0;
        foreach (byte b in part)
        {
            if (b is (byte)':' or (byte)'%')
            {
                (b == (byte)':' ? "%3A"u8 : "%25"u8).CopyTo(target[at..]);
                at += 3;
            }
            else
            {
                target[at++] = b;
            }
        }

        target[at] = (byte)':';
        return at + 1;
    }
}
