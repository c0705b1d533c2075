using System.Runtime.InteropServices;
using Dedup.Audit.Contents;

namespace Dedup.Audit.Matching;

/// <summary>A record without a counterpart.</summary>
/// <param name="Position">Where.</param>
/// <param name="Contents">What it contains.</param>
/// <param name="Other">With a clean record: input position of the first occurrence of its event, 0 when there is none. With an input record: 1 when the duplicates topic holds it.</param>
internal readonly record struct LooseRecord(uint Position, RecordContents Contents, uint Other);

/// <summary>
/// Records without a counterpart. The first ones are kept whole, so that a changed one finds its counterpart; beyond a limit
/// (a topic whose beginning was deleted has millions) only their positions are.
/// </summary>
internal sealed class Loose
{
    /// <summary>Kept whole: 2 M · 36 bytes = 72 MB.</summary>
    public const int MaxWhole = 2 * 1024 * 1024;

    private readonly List<LooseRecord> _whole = [];

    /// <summary>Those kept whole, sorted by position after <see cref="Sort"/>.</summary>
    public ReadOnlySpan<LooseRecord> Whole => CollectionsMarshal.AsSpan(_whole);

    /// <summary>Positions of the others.</summary>
    public List<uint> Rest { get; } = [];

    public void Add(uint position, in RecordContents contents, uint other)
    {
        if (_whole.Count < MaxWhole)
        {
            _whole.Add(new LooseRecord(position, contents, other));
        }
        else
        {
            Rest.Add(position);
        }
    }

    public void Sort()
    {
        CollectionsMarshal.AsSpan(_whole).Sort(static (a, b) => a.Position.CompareTo(b.Position));
        Rest.Sort();
    }
}
