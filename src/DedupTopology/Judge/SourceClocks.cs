using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Dedup.Contracts.Changelog;

namespace Dedup.Topology.Judge;

/// <summary>
/// The clocks of the input partitions whose records meet in one partition of the repartition topic, for each window class, and
/// the smallest of them: what is forgotten is forgotten by that one, so that an input partition that is hours behind the
/// others loses nothing.
/// </summary>
/// <remarks>
/// An input partition that is idle no longer holds the rest back. Idle is a matter of the log alone, so that judging again
/// gives the same verdicts: attention is the sum of the times between records of the class, as the first hop's wall clock
/// stamped them, each at most a tenth of the time-out; an input partition is idle when more than the time-out of attention has
/// passed since its last record. So an outage of Dedup, in which all are silent together, makes none of them idle.
/// One that was never seen counts as well, from the beginning of the state.
/// What the open transaction changes is apart until it commits. Hot path: no allocation; the minimum is sought anew only when
/// it may have changed.
/// </remarks>
public sealed class SourceClocks
{
    /// <summary>
    /// A silence counts for a tenth of the time-out at most: ten records of others have to come before one that is silent is
    /// left out.
    /// </summary>
    private const int SilenceShare = 10;

    private readonly long _idleTimeoutMs;
    private readonly long _longestSilenceMs;
    private readonly ClassClocks[] _open;
    private readonly ClassClocks[] _committed;

    /// <summary>Makes clocks.</summary>
    /// <param name="classes">Window classes.</param>
    /// <param name="sources">Partitions of the input; more may turn up.</param>
    /// <param name="idleTimeoutMs">Attention after which a silent input partition is left out, in ms.</param>
    public SourceClocks(int classes, int sources, long idleTimeoutMs)
    {
        _idleTimeoutMs = idleTimeoutMs;
        _longestSilenceMs = Math.Max(1, idleTimeoutMs / SilenceShare);
        _open = new ClassClocks[classes];
        _committed = new ClassClocks[classes];
        for (int i = 0; i < classes; i++)
        {
            _open[i] = new ClassClocks(sources);
            _committed[i] = new ClassClocks(sources);
        }
    }

    /// <summary>A record was seen.</summary>
    /// <param name="windowClass">Its class.</param>
    /// <param name="source">Its input partition.</param>
    /// <param name="clockMs">Clock of that partition as the first hop stamped it, this record included.</param>
    /// <param name="writtenMs">When the first hop wrote it, in ms of its wall clock.</param>
    /// <returns>
    /// The smallest clock of those input partitions that are not idle; <see cref="WindowClocks.Unset"/> while one of them has
    /// none. Not monotone: one that was left out may come back behind.
    /// </returns>
    public long See(int windowClass, int source, long clockMs, long writtenMs)
    {
        ClassClocks c = _open[windowClass];
        c.Grow(source + 1);
        if (c.WrittenMs < 0)
        {
            c.WrittenMs = writtenMs;
        }
        else if (writtenMs > c.WrittenMs)
        {
            c.AttentionMs += Math.Min(writtenMs - c.WrittenMs, _longestSilenceMs);
            c.WrittenMs = writtenMs;
        }

        ref Source seen = ref c.Sources[source];
        seen.SeenAtMs = c.AttentionMs;
        seen.ClockMs = Math.Max(seen.ClockMs, clockMs);
        if (source != c.Lowest && seen.ClockMs < c.NextLowestMs)
        {
            // It was idle and has come back, or is new.
            c.NextLowestMs = seen.ClockMs;
        }

        ref Source lowest = ref c.Sources[c.Lowest];
        if (lowest.ClockMs > c.NextLowestMs || c.AttentionMs - lowest.SeenAtMs > _idleTimeoutMs)
        {
            c.FindLowest(_idleTimeoutMs);
        }

        return c.Sources[c.Lowest].ClockMs;
    }

    /// <summary>The transaction committed.</summary>
    public void Commit() => Copy(_open, _committed);

    /// <summary>The transaction was aborted.</summary>
    public void Abort() => Copy(_committed, _open);

    /// <summary>Takes the clocks over from a marker; null for a state that knows nothing yet.</summary>
    public void Load(MarkerSources? marker)
    {
        foreach (ClassClocks c in _committed)
        {
            c.Clear();
        }

        foreach (MarkerAttention attention in marker?.Attention ?? [])
        {
            if (attention.Class < _committed.Length)
            {
                _committed[attention.Class].AttentionMs = attention.AttentionMs;
                _committed[attention.Class].WrittenMs = attention.WrittenMs;
            }
        }

        foreach (ClassClocks c in _committed)
        {
            // An input partition that the marker does not know has been awaited from now on.
            Array.Fill(c.Sources, new Source(WindowClocks.Unset, c.AttentionMs));
        }

        foreach (MarkerSource source in marker?.Clocks ?? [])
        {
            if (source.Class < _committed.Length)
            {
                ClassClocks c = _committed[source.Class];
                c.Grow(source.Partition + 1);
                c.Sources[source.Partition] = new Source(source.ClockMs, source.SeenAtMs);
            }
        }

        foreach (ClassClocks c in _committed)
        {
            c.FindLowest(_idleTimeoutMs);
        }

        Abort();
    }

    /// <summary>The clocks as they will be when the open transaction commits.</summary>
    public MarkerSources Pending()
    {
        ImmutableArray<MarkerAttention>.Builder attention =
            ImmutableArray.CreateBuilder<MarkerAttention>(_open.Length);
        ImmutableArray<MarkerSource>.Builder clocks = ImmutableArray.CreateBuilder<MarkerSource>();
        for (int i = 0; i < _open.Length; i++)
        {
            ClassClocks c = _open[i];
            attention.Add(new MarkerAttention((ushort)i, c.AttentionMs, c.WrittenMs));
            for (int source = 0; source < c.Count; source++)
            {
                Source s = c.Sources[source];
                clocks.Add(new MarkerSource((ushort)i, source, s.ClockMs, s.SeenAtMs));
            }
        }

        return new MarkerSources(attention.MoveToImmutable(), clocks.ToImmutable());
    }

    private static void Copy(ClassClocks[] from, ClassClocks[] to)
    {
        for (int i = 0; i < from.Length; i++)
        {
            to[i].Take(from[i]);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private record struct Source(long ClockMs, long SeenAtMs);

    /// <summary>Of one window class.</summary>
    private sealed class ClassClocks
    {
        public Source[] Sources;
        public int Count;
        public long AttentionMs;
        public long WrittenMs;

        /// <summary>Input partition with the smallest clock of those that are not idle.</summary>
        public int Lowest;

        /// <summary>A bound below the clocks of all others that are not idle.</summary>
        public long NextLowestMs;

        public ClassClocks(int sources)
        {
            Count = Math.Max(1, sources);
            Sources = new Source[Count];
            Clear();
        }

        public void Clear()
        {
            Array.Fill(Sources, new Source(WindowClocks.Unset, 0));
            AttentionMs = 0;
            WrittenMs = -1;
            Lowest = 0;
            NextLowestMs = WindowClocks.Unset;
        }

        public void Grow(int count)
        {
            if (count <= Count)
            {
                return;
            }

            if (count > Sources.Length)
            {
                Array.Resize(ref Sources, Math.Max(count, Sources.Length * 2));
            }

            // What turns up late has been awaited from now on.
            Sources.AsSpan(Count, count - Count).Fill(new Source(WindowClocks.Unset, AttentionMs));
            Count = count;
            NextLowestMs = WindowClocks.Unset;
        }

        public void Take(ClassClocks other)
        {
            if (Sources.Length < other.Count)
            {
                Sources = new Source[other.Sources.Length];
            }

            Count = other.Count;
            other.Sources.AsSpan(0, Count).CopyTo(Sources);
            AttentionMs = other.AttentionMs;
            WrittenMs = other.WrittenMs;
            Lowest = other.Lowest;
            NextLowestMs = other.NextLowestMs;
        }

        /// <summary>
        /// The smallest clock, and the next one. Where all are idle the one that was seen last stands for all: it is the one
        /// whose record is being judged.
        /// </summary>
        public void FindLowest(long idleTimeoutMs)
        {
            long lowest = long.MaxValue;
            long next = long.MaxValue;
            int at = -1;
            for (int i = 0; i < Count; i++)
            {
                if (AttentionMs - Sources[i].SeenAtMs > idleTimeoutMs)
                {
                    continue;
                }

                long clock = Sources[i].ClockMs;
                if (clock < lowest)
                {
                    next = lowest;
                    lowest = clock;
                    at = i;
                }
                else if (clock < next)
                {
                    next = clock;
                }
            }

            if (at >= 0)
            {
                Lowest = at;
                NextLowestMs = next;
            }
        }
    }
}
