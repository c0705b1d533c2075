using System.Buffers.Binary;
using System.Numerics;
using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify;

/// <summary>What the recipe makes of a record.</summary>
public struct Identified
{
    /// <summary>Keyed hash over scope and ID; meaningful when <see cref="Reason"/> is None.</summary>
    public EventKey Key;

    /// <summary>64-bit hash of the payload, 0 when the pipeline compares none.</summary>
    public ulong Fingerprint;

    /// <summary>32-bit hash of tenant and type, 0 without scope.</summary>
    public uint ScopeTag;

    /// <summary>Index of the window class in the pipeline's table.</summary>
    public ushort Class;

    /// <summary>Why there is no ID, else None.</summary>
    public Reason Reason;
}

/// <summary>Memory that identification reuses from record to record: one for each task, used by one thread.</summary>
public sealed class IdScratch
{
    private byte[] _bytes = new byte[1024];

    /// <summary>A buffer of at least that many bytes; its content does not survive the next call.</summary>
    public Span<byte> Take(int length)
    {
        if (_bytes.Length < length)
        {
            _bytes = new byte[(int)BitOperations.RoundUpToPowerOf2((uint)length)];
        }

        return _bytes;
    }
}

/// <summary>One source of a recipe.</summary>
public abstract class IdSource
{
    /// <summary>The source as users write it, in canonical form.</summary>
    public abstract string Text { get; }

    /// <summary>Reads the ID; the span lives until the scratch or the batch is used again.</summary>
    public abstract Reason Read(in RecordView record, IdScratch scratch, out ReadOnlySpan<byte> id);
}

/// <summary><c>key</c>: the record key's bytes.</summary>
public sealed class KeySource : IdSource
{
    /// <inheritdoc/>
    public override string Text => "key";

    /// <inheritdoc/>
    public override Reason Read(in RecordView record, IdScratch scratch, out ReadOnlySpan<byte> id)
    {
        id = record.Key;
        return record.KeyIsNull ? Reason.NullKey : Reason.None;
    }
}

/// <summary>How a record gets its deterministic event ID: a chain of sources, of which the first that yields an ID wins.</summary>
public sealed class Recipe
{
    private readonly IdSource[] _chain;

    /// <summary>Makes a recipe of at least one source.</summary>
    public Recipe(params IdSource[] chain)
    {
        ArgumentOutOfRangeException.ThrowIfZero(chain.Length);
        _chain = chain;
        Text = string.Join(" | ", chain.Select(static s => s.Text));
    }

    /// <summary>The recipe <c>key</c>.</summary>
    public static Recipe Key { get; } = new(new KeySource());

    /// <summary>The recipe in canonical form.</summary>
    public string Text { get; }

    /// <summary>Identifies a record. Hot path: no allocation.</summary>
    public void Identify(
        in RecordView record,
        IdScratch scratch,
        in SipHash hash,
        out Identified identified
    )
    {
        identified = default;
        Reason reason = Reason.NoId;
        foreach (IdSource source in _chain)
        {
            reason = source.Read(record, scratch, out ReadOnlySpan<byte> id);
            if (reason == Reason.None)
            {
                Span<byte> input =
                    id.Length <= 252 ? stackalloc byte[256] : new byte[id.Length + 4];
                BinaryPrimitives.WriteInt32LittleEndian(input, id.Length);
                id.CopyTo(input[4..]);
                identified.Key = hash.Hash(input[..(id.Length + 4)]);
                return;
            }
        }

        identified.Reason = reason;
    }
}
