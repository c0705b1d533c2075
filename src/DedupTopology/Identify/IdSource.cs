using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Identify;

/// <summary>One source of a recipe. Immutable; a record's bytes go to the scratch.</summary>
public abstract class IdSource
{
    /// <summary>The source as users write it, in canonical form: two sources of the same text give the same IDs.</summary>
    public abstract string Text { get; }

    /// <summary>Bucket width of a content ID in ms, 0 without buckets.</summary>
    public virtual long BucketMs => 0;

    /// <summary>Whether no later source is asked when this one gives that reason.</summary>
    public virtual bool EndsChain(Reason reason) => false;

    /// <summary>
    /// Appends the ID of a record to the scratch and says what it is. When the result is not None there is no ID, and what was
    /// appended is taken back by the caller. Hot path: no allocation.
    /// </summary>
    internal abstract Reason Append(in RecordView record, IdScratch scratch, out IdKind kind);

    /// <summary>
    /// Appends the record's value as text, for a part of the scope: strings as they are, numbers in canonical form,
    /// <c>true</c> and <c>false</c>. Hot path: no allocation.
    /// </summary>
    internal virtual Reason AppendText(in RecordView record, IdScratch scratch) =>
        Append(record, scratch, out _);
}
