using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify.Sources;

/// <summary><c>header: NAME</c>: the bytes of the last header of that name whose value is not null.</summary>
/// <remarks>
/// An empty value is no ID: a producer without an ID often writes an empty header, and all those events would be one.
/// </remarks>
public sealed class HeaderSource : IdSource
{
    private readonly byte[] _name;

    /// <summary>Makes a source.</summary>
    /// <param name="name">Name of the header, case-sensitive as Kafka's headers are.</param>
    public HeaderSource(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        _name = Encoding.UTF8.GetBytes(name);
        Text = $"header:{RecipeText.Quote(name)}";
    }

    /// <summary>Name of the header.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override string Text { get; }

    /// <inheritdoc/>
    internal override Reason Append(in RecordView record, IdScratch scratch, out IdKind kind)
    {
        kind = IdKind.Bytes;
        if (
            !record.Batch.TryGetHeader(record.Index, _name, out ReadOnlySpan<byte> value)
            || value.IsEmpty
        )
        {
            return Reason.NoId;
        }

        scratch.Append(value);
        return Reason.None;
    }
}
