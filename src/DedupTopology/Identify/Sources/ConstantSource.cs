using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify.Sources;

/// <summary><c>value: TEXT</c>: the same for every record; for parts of the scope.</summary>
public sealed class ConstantSource : IdSource
{
    private readonly byte[] _value;

    /// <summary>Makes a source.</summary>
    public ConstantSource(string value)
    {
        _value = Encoding.UTF8.GetBytes(value);
        Text = $"value:{RecipeText.Quote(value)}";
    }

    /// <inheritdoc/>
    public override string Text { get; }

    /// <inheritdoc/>
    internal override Reason Append(in RecordView record, IdScratch scratch, out IdKind kind)
    {
        kind = IdKind.Bytes;
        scratch.Append(_value);
        return Reason.None;
    }
}
