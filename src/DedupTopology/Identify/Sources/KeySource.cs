using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify.Sources;

/// <summary><c>key</c>: the record key's bytes. An empty key is an ID, a null key is none.</summary>
public sealed class KeySource : IdSource
{
    /// <inheritdoc/>
    public override string Text => "key";

    /// <inheritdoc/>
    internal override Reason Append(in RecordView record, IdScratch scratch, out IdKind kind)
    {
        kind = IdKind.Bytes;
        if (record.KeyIsNull)
        {
            return Reason.NullKey;
        }

        scratch.Append(record.Key);
        return Reason.None;
    }
}
