using System.Numerics;

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
}

/// <summary>
/// Buffers that canonical JSON is written into; they grow to the largest document and stay, so that in steady state nothing is
/// allocated.
/// </summary>
internal sealed class CanonicalBuffers
{
    private byte[] _out = new byte[1024];
    private byte[] _sorted = [];
    private Member[] _members = new Member[32];

    /// <summary>Order of members as the style wants it; cached, since a delegate for each sort would be garbage.</summary>
    private readonly Comparison<Member> _byName;

    /// <summary>Makes buffers.</summary>
    public CanonicalBuffers() => _byName = CompareStable;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; set; }

    /// <summary>Members of the objects that are open.</summary>
    public int MemberCount { get; set; }

    /// <summary>Whether names sort by code point (Python), not by UTF-16 code unit (RFC 8785).</summary>
    public bool ByCodePoint { get; set; }

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _out.AsSpan(0, Length);

    /// <summary>Empties the buffers.</summary>
    public void Clear()
    {
        Length = 0;
        MemberCount = 0;
    }

    /// <summary>Appends a byte.</summary>
    public void Put(byte value)
    {
        if (Length == _out.Length)
        {
            Grow(1);
        }

        _out[Length++] = value;
    }

    /// <summary>Appends bytes.</summary>
    public void Put(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Room for that many bytes at the end; add to <see cref="Length"/> what was written.</summary>
    public Span<byte> Reserve(int length)
    {
        if (_out.Length - Length < length)
        {
            Grow(length);
        }

        return _out.AsSpan(Length);
    }

    /// <summary>Adds a member; the result says whether the members since <paramref name="first"/> are still in order.</summary>
    public bool Add(int first, int start, int nameLength, bool isPlain)
    {
        if (MemberCount == _members.Length)
        {
            Array.Resize(ref _members, _members.Length * 2);
        }

        int index = MemberCount++;
        _members[index] = new Member
        {
            Start = start,
            NameLength = nameLength,
            End = Length,
            IsPlain = isPlain,
        };
        return index == first || Compare(_members[index - 1], _members[index]) < 0;
    }

    /// <summary>
    /// Brings the members since <paramref name="first"/> into order; of members of one name the order of the document is kept, or
    /// only the last of them.
    /// </summary>
    /// <returns>Whether members were left out.</returns>
    public bool Sort(int first, ReadOnlySpan<byte> separator, bool lastOfName)
    {
        Span<Member> members = _members.AsSpan(first, MemberCount - first);
        int start = members[0].Start;
        Order(members);
        if (_sorted.Length < Length - start)
        {
            _sorted = new byte[_out.Length];
        }

        int to = 0;
        bool dropped = false;
        for (int i = 0; i < members.Length; i++)
        {
            if (lastOfName && i + 1 < members.Length && Compare(members[i], members[i + 1]) == 0)
            {
                dropped = true;
                continue;
            }

            if (to > 0)
            {
                separator.CopyTo(_sorted.AsSpan(to));
                to += separator.Length;
            }

            ReadOnlySpan<byte> member = _out.AsSpan(
                members[i].Start,
                members[i].End - members[i].Start
            );
            member.CopyTo(_sorted.AsSpan(to));
            to += member.Length;
        }

        _sorted.AsSpan(0, to).CopyTo(_out.AsSpan(start));
        Length = start + to;
        return dropped;
    }

    /// <summary>Insertion sort for the few members that most objects have, and nearly sorted ones; else the library's.</summary>
    private void Order(Span<Member> members)
    {
        const int few = 24;
        if (members.Length > few)
        {
            members.Sort(_byName);
            return;
        }

        for (int i = 1; i < members.Length; i++)
        {
            Member member = members[i];
            int j = i;
            while (j > 0 && Compare(members[j - 1], member) > 0)
            {
                members[j] = members[j - 1];
                j--;
            }

            members[j] = member;
        }
    }

    private int CompareStable(Member a, Member b)
    {
        int order = Compare(a, b);
        return order != 0 ? order : a.Start.CompareTo(b.Start);
    }

    private int Compare(in Member a, in Member b)
    {
        ReadOnlySpan<byte> left = _out.AsSpan(a.Start + 1, a.NameLength - 2);
        ReadOnlySpan<byte> right = _out.AsSpan(b.Start + 1, b.NameLength - 2);
        return a.IsPlain && b.IsPlain ? left.SequenceCompareTo(right)
            : ByCodePoint ? NameOrder.ByCodePoint(left, right)
            : NameOrder.ByCodeUnit(left, right);
    }

    private void Grow(int length) =>
        Array.Resize(ref _out, (int)BitOperations.RoundUpToPowerOf2((uint)(Length + length)));
}
