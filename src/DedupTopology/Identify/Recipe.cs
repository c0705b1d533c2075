using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify;

/// <summary>
/// How a record gets its deterministic event ID: a chain of sources, of which the first that yields an ID wins, under a scope.
/// Immutable; see docs/recipes.md.
/// </summary>
public sealed class Recipe
{
    /// <summary>Most sources in a chain: the tag of a frame has five bits for the position.</summary>
    public const int MaxSources = 32;

    private readonly IdSource[] _chain;
    private readonly Scope? _scope;
    private readonly Fingerprint? _fingerprint;

    /// <summary>Makes a recipe of at least one source.</summary>
    public Recipe(params IdSource[] chain)
        : this(chain, null) { }

    /// <summary>Makes a recipe of at least one source under a scope.</summary>
    public Recipe(IdSource[] chain, Scope? scope, Fingerprint? fingerprint = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(chain.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chain.Length, MaxSources);
        _chain = chain;
        _scope = scope;
        _fingerprint = fingerprint;
        string text = string.Join(" | ", chain.Select(static s => s.Text));
        text = scope is null ? text : $"{text} @ {scope.Text}";
        Text = fingerprint is null ? text : $"{text} # {fingerprint.Text}";
        Version = BinaryPrimitives.ReadUInt64BigEndian(
            SHA256.HashData(Encoding.UTF8.GetBytes(Text))
        );
    }

    /// <summary>The recipe <c>key</c>.</summary>
    public static Recipe Key { get; } = new(new KeySource());

    /// <summary>The recipe in canonical form: everything that decides about IDs, and nothing else.</summary>
    public string Text { get; }

    /// <summary>The first eight bytes of the SHA-256 of <see cref="Text"/>: state made with another recipe must not be used.</summary>
    public ulong Version { get; }

    /// <summary>The sources in order.</summary>
    public ImmutableArray<IdSource> Sources => [.. _chain];

    /// <summary>The scope, null without one.</summary>
    public Scope? Scope => _scope;

    /// <summary>What tells a conflict from a duplicate, null when nothing does.</summary>
    public Fingerprint? Fingerprint => _fingerprint;

    /// <summary>First part of visible keys.</summary>
    public string Prefix { get; init; } = "dedup";

    /// <summary>Longest (scope, ID) in bytes: 64 KiB. Longer ones give no ID, since every buffer has a bound.</summary>
    public int MaxIdBytes { get; init; } = 1 << 16;

    /// <summary>Identifies a record. Hot path: no allocation.</summary>
    public void Identify(
        in RecordView record,
        IdScratch scratch,
        in SipHash hash,
        out Identified identified
    )
    {
        identified = default;
        scratch.Begin();
        if (_scope is not null)
        {
            identified.Reason = _scope.Append(record, scratch, ref identified);
            if (identified.Reason != Reason.None)
            {
                return;
            }
        }

        if (_fingerprint is not null)
        {
            identified.Fingerprint = _fingerprint.Of(record, scratch, hash);
        }

        int start = scratch.Length;
        Reason failure = Reason.None;
        for (int i = 0; i < _chain.Length; i++)
        {
            Reason reason = _chain[i].Append(record, scratch, out IdKind kind);
            if (reason == Reason.None && scratch.Length > MaxIdBytes)
            {
                reason = Reason.IdTooLong;
            }

            if (reason == Reason.None)
            {
                scratch.Seal(_scope is not null, i, kind);
                identified.Key = hash.Hash(scratch.Frame);
                identified.BucketMs = _chain[i].BucketMs;
                if (scratch.WantPercentHash)
                {
                    identified.PercentHash = UnkeyedHash(scratch.Frame);
                }

                return;
            }

            scratch.Rewind(start);
            failure = MoreTelling(failure, reason);
            if (_chain[i].EndsChain(reason))
            {
                failure = reason;
                break;
            }
        }

        identified.Reason = failure;
    }

    /// <summary>The same recipe with window classes by type, which the scope's type decides.</summary>
    public Recipe WithTypes(TypePatterns? types) =>
        new(_chain, _scope?.WithTypes(types), _fingerprint)
        {
            Prefix = Prefix,
            MaxIdBytes = MaxIdBytes,
        };

    /// <summary>The same recipe for those who only want the ID.</summary>
    public Recipe WithoutFingerprint() =>
        _fingerprint is null
            ? this
            : new(_chain, _scope) { Prefix = Prefix, MaxIdBytes = MaxIdBytes };

    /// <summary>
    /// Says for each source up to the one that gives the ID why it was passed over; for tools.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="scratch">Memory.</param>
    /// <param name="reasons">One for each source; those behind the winner keep <see cref="Reason.None"/>.</param>
    /// <returns>The source that gives the ID, -1 for none.</returns>
    public int Explain(in RecordView record, IdScratch scratch, Span<Reason> reasons)
    {
        reasons.Clear();
        scratch.Begin();
        for (int i = 0; i < _chain.Length; i++)
        {
            reasons[i] = _chain[i].Append(record, scratch, out _);
            if (reasons[i] == Reason.None && scratch.Length > MaxIdBytes)
            {
                reasons[i] = Reason.IdTooLong;
            }

            scratch.Rewind(1);
            if (reasons[i] == Reason.None || _chain[i].EndsChain(reasons[i]))
            {
                return reasons[i] == Reason.None ? i : -1;
            }
        }

        return -1;
    }

    /// <summary>The hash behind <see cref="Identified.PercentHash"/>: SipHash with a key of zeros, first half.</summary>
    public static ulong UnkeyedHash(ReadOnlySpan<byte> frame) => new SipHash(0, 0).Hash(frame).High;

    /// <summary>"Malformed" says more than "nothing there": the first reason of that sort is the one that users see.</summary>
    private static Reason MoreTelling(Reason known, Reason next) =>
        known is Reason.None ? next
        : known is Reason.NoId or Reason.NullKey && next is not (Reason.NoId or Reason.NullKey)
            ? next
        : known is Reason.NullKey ? Reason.NoId
        : known;
}
