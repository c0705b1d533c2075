namespace Dedup.Topology.Identify.Canonical;

/// <summary>A member of an object in the output: <c>"name":value</c>.</summary>
internal struct Member
{
    /// <summary>Position of the name's opening quote.</summary>
    public int Start;

    /// <summary>Length of the name with its quotes.</summary>
    public int NameLength;

    /// <summary>Position behind the value.</summary>
    public int End;

    /// <summary>Whether the name is ASCII without escapes: then bytes compare as characters do.</summary>
    public bool IsPlain;

    /// <summary>The first eight bytes of a plain name, big-endian, filled up with zeros: most comparisons end here.</summary>
    public ulong Prefix;
}

/// <summary>Sorts the members of an object: a stable merge of the runs that are there already.</summary>
/// <remarks>
/// Documents of one producer are sorted, or sorted but for a few members put in front or behind; both cost one pass here. The
/// library's sort would take n log n comparisons for those, and a delegate for each sort.
/// </remarks>
internal sealed class MemberSort
{
    private Member[] _spare = [];
    private int[] _runs = [];

    /// <summary>Sorts; the order of equal names is kept.</summary>
    public void Sort(Span<Member> members, CanonicalBuffers buffers)
    {
        int runs = FindRuns(members, buffers);
        if (_spare.Length < members.Length)
        {
            _spare = new Member[Math.Max(32, members.Length * 2)];
        }

        while (runs > 1)
        {
            int to = 0;
            for (int i = 0; i < runs; i += 2)
            {
                int start = _runs[i];
                int middle = i + 1 < runs ? _runs[i + 1] : members.Length;
                int end = i + 2 < runs ? _runs[i + 2] : members.Length;
                Merge(members[start..end], middle - start, buffers);
                _runs[to++] = start;
            }

            runs = to;
        }
    }

    /// <summary>Where each ascending run begins.</summary>
    private int FindRuns(ReadOnlySpan<Member> members, CanonicalBuffers buffers)
    {
        if (_runs.Length < members.Length)
        {
            _runs = new int[Math.Max(32, members.Length * 2)];
        }

        int runs = 1;
        _runs[0] = 0;
        for (int i = 1; i < members.Length; i++)
        {
            if (buffers.Compare(members[i - 1], members[i]) > 0)
            {
                _runs[runs++] = i;
            }
        }

        return runs;
    }

    private void Merge(Span<Member> members, int middle, CanonicalBuffers buffers)
    {
        if (middle == members.Length)
        {
            return;
        }

        Span<Member> left = _spare.AsSpan(0, middle);
        members[..middle].CopyTo(left);
        int i = 0;
        int j = middle;
        int to = 0;
        while (i < left.Length && j < members.Length)
        {
            members[to++] = buffers.Compare(left[i], members[j]) <= 0 ? left[i++] : members[j++];
        }

        left[i..].CopyTo(members[to..]);
    }
}
