using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Canonical;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify;

/// <summary>
/// 64 bits that tell whether two events of one ID have the same content: over the payload as it stands, or over the canonical JSON
/// of chosen paths. Keyed like the event key, so that nobody can make a conflict look like a duplicate.
/// </summary>
public sealed class Fingerprint
{
    // What is hashed, so that an absent payload, raw bytes, and canonical JSON of the same bytes differ. Any odd constants do.
    private const ulong NullTweak = 0x9E3779B97F4A7C15;
    private const ulong RawTweak = 0xC2B2AE3D27D4EB4F;
    private const ulong JsonTweak = 0x165667B19E3779F9;

    private readonly ContentOptions? _options;

    /// <summary>A fingerprint over the payload as it stands.</summary>
    public Fingerprint() => Text = "payload";

    /// <summary>A fingerprint over paths; a path that leads to nothing is left out, what is no JSON counts as it stands.</summary>
    public Fingerprint(ContentOptions options)
    {
        _options = options;
        Text = $"[{string.Join(", ", options.Paths!.Include.Select(static p => p.Text))}]";
    }

    /// <summary>The fingerprint in canonical form.</summary>
    public string Text { get; }

    /// <summary>The fingerprint of a record, never 0. Hot path: no allocation.</summary>
    internal ulong Of(in RecordView record, IdScratch scratch, in SipHash hash)
    {
        if (record.ValueIsNull)
        {
            return Hash(hash, NullTweak, default);
        }

        if (_options is null)
        {
            return Hash(hash, RawTweak, record.Value);
        }

        Reason reason = ContentBytes.Of(
            record.Value,
            _options,
            scratch,
            out ReadOnlySpan<byte> bytes
        );
        return reason switch
        {
            Reason.None => Hash(hash, JsonTweak, bytes),
            Reason.ContentPathMissing => Hash(hash, JsonTweak, scratch.Canonical.Written),
            _ => Hash(hash, RawTweak, bytes),
        };
    }

    private static ulong Hash(in SipHash hash, ulong tweak, ReadOnlySpan<byte> bytes)
    {
        ulong value = new SipHash(hash.K0 ^ tweak, hash.K1).Hash(bytes).High;
        return value == 0 ? 1 : value;
    }
}
