using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dedup.Topology.Identify.Canonical;

/// <summary>
/// Buffers that canonical JSON is written into; they grow to the largest document and stay, so that in steady state nothing is
/// allocated.
/// </summary>
internal sealed class CanonicalBuffers
{
    private byte[] _out = new byte[1024];
    private byte[] _sorted = [];
    private Member[] _members = new Member[32];

    private readonly MemberSort _sort = new();

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
        byte[] target = _out;
        int at = Length;
        if ((uint)at >= (uint)target.Length)
        {
            target = Grow(1);
        }

        target[at] = value;
        Length = at + 1;
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
            _ = Grow(length);
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
            Prefix = isPlain ? PrefixOf(start, nameLength) : 0,
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
        _sort.Sort(members, this);
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

    /// <summary>Order of two members by name.</summary>
    public int Compare(in Member a, in Member b)
    {
        bool plain = a.IsPlain && b.IsPlain;
        if (plain && a.Prefix != b.Prefix)
        {
            return a.Prefix < b.Prefix ? -1 : 1;
        }

        ReadOnlySpan<byte> left = _out.AsSpan(a.Start + 1, a.NameLength - 2);
        ReadOnlySpan<byte> right = _out.AsSpan(b.Start + 1, b.NameLength - 2);
        return plain ? left.SequenceCompareTo(right)
            : ByCodePoint ? NameOrder.ByCodePoint(left, right)
            : NameOrder.ByCodeUnit(left, right);
    }

    /// <summary>See <see cref="Member.Prefix"/>. No plain name has a zero byte, so the filling sorts first.</summary>
    private ulong PrefixOf(int start, int nameLength)
    {
        int length = nameLength - 2;
        ReadOnlySpan<byte> from = _out.AsSpan(start + 1);
        return length >= sizeof(ulong) ? BinaryPrimitives.ReadUInt64BigEndian(from)
            : from.Length >= sizeof(ulong) && length > 0
                ? BinaryPrimitives.ReadUInt64BigEndian(from)
                    & (ulong.MaxValue << (8 * (sizeof(ulong) - length)))
            : ShortPrefix(from[..length]);
    }

    private static ulong ShortPrefix(ReadOnlySpan<byte> name)
    {
        ulong prefix = 0;
        for (int i = 0; i < name.Length; i++)
        {
            prefix |= (ulong)name[i] << (56 - (8 * i));
        }

        return prefix;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte[] Grow(int length)
    {
        Array.Resize(ref _out, (int)BitOperations.RoundUpToPowerOf2((uint)(Length + length)));
        return _out;
    }
}
