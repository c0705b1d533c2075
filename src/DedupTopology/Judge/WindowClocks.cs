using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Proof;
using Dedup.Topology.Windows;

namespace Dedup.Topology.Judge;

/// <summary>
/// The window classes of one partition's state and their clocks: a clock is the highest record time seen in its class. Those
/// of the open transaction are apart until it commits. Records beyond wall clock + max-future never get here, which bounds
/// the clock.
/// </summary>
/// <remarks>
/// A class of the configuration that differs in window, grace, or bucket width from what the state has under its name gets a
/// new id, so that a bucket never holds entries of two geometries. The old class is retired, and nothing is read or moved for
/// that: its entries count as long as those of the class that took its name over, so that a longer window knows as much as
/// is still there, and a shorter one takes effect at once. A retired bucket whose end has passed, in whichever
/// configuration, is gone for good; so no retired class comes back to life. Where no class took the name over, it expires as it would have, at the highest clock.
/// Ids are not used again: the highest stays in the marker.
/// </remarks>
public sealed class WindowClocks
{
    /// <summary>Clock before the first record.</summary>
    public const long Unset = -1;

    private readonly ImmutableArray<WindowClass> _configured;
    private readonly WindowClass[] _live;
    private readonly long[] _committed;
    private readonly long[] _open;
    private Retired[] _retired = [];

    /// <summary>Makes the clocks of a state that knows nothing yet.</summary>
    /// <param name="configured">The pipeline's classes.</param>
    public WindowClocks(ImmutableArray<WindowClass> configured)
    {
        _configured = configured;
        _live = [.. configured];
        _committed = new long[configured.Length];
        _open = new long[configured.Length];
        Array.Fill(_committed, Unset);
        Array.Fill(_open, Unset);
    }

    /// <summary>A class of the pipeline, by its index there, with the id that it has in this state.</summary>
    public WindowClass this[int index] => _live[index];

    /// <summary>The clock of a class of the pipeline as the open transaction sees it.</summary>
    public long Open(int index) => _open[index];

    /// <summary>The clock of a class of the pipeline as of the last commit.</summary>
    public long Committed(int index) => _committed[index];

    /// <summary>A record was seen.</summary>
    /// <returns>The clock, this record included.</returns>
    public long See(int index, long timeMs)
    {
        ref long clock = ref _open[index];
        if (timeMs > clock || Planted.Is(PlantedBug.ClockSetBack))
        {
            clock = timeMs;
        }

        return clock;
    }

    /// <summary>
    /// Whether the class of an entry lets it count for a record of another: always where the record's class took over its
    /// name, else by its own arithmetic, since its bucket may be dropped then. What the record's class says comes on top.
    /// </summary>
    /// <param name="classId">Class of the entry's bucket.</param>
    /// <param name="seenMs">Time of the entry.</param>
    /// <param name="index">Class of the record.</param>
    public bool Counts(ushort classId, long seenMs, int index)
    {
        foreach (ref readonly Retired retired in _retired.AsSpan())
        {
            if (retired.Class.Id == classId)
            {
                return retired.Successor == index
                    || retired.Class.IsLive(seenMs, ClockOf(retired, _open));
            }
        }

        return TryGet(classId, _open, out WindowClass? its, out long clock)
            && its.IsLive(seenMs, clock);
    }

    /// <summary>Whether no entry of the bucket can count any more, by the committed clock.</summary>
    public bool IsExpired(BucketId bucket) =>
        !TryGet(bucket.Class, _committed, out WindowClass? its, out long clock)
        || (clock != Unset && its.IsExpired(bucket, clock));

    /// <summary>The same by the clock that the open transaction has.</summary>
    public bool IsExpiredInOpen(BucketId bucket) =>
        !TryGet(bucket.Class, _open, out WindowClass? its, out long clock)
        || (clock != Unset && its.IsExpired(bucket, clock));

    /// <summary>The bucket of an entry of that class.</summary>
    public BucketId BucketOf(ushort classId, long seenMs) =>
        TryGet(classId, _open, out WindowClass? its, out _) ? its.BucketOf(seenMs) : default;

    /// <summary>The transaction committed.</summary>
    public void Commit() => _open.CopyTo(_committed, 0);

    /// <summary>The transaction was aborted.</summary>
    public void Abort() => _committed.CopyTo(_open, 0);

    /// <summary>
    /// Takes the classes of a state over. A class goes on with the clock of its name; one with a new name with that of the
    /// default window, which its records had until then: what is late does not become a first by a new configuration.
    /// </summary>
    public void Load(ImmutableArray<MarkerClass> classes)
    {
        HashSet<int> ids = [.. classes.Select(static c => (int)c.Id)];
        long defaultClock = ClockOf(classes, _configured[0].Name, Unset);
        for (int i = 0; i < _live.Length; i++)
        {
            WindowClass wanted = _configured[i];
            long clock = ClockOf(classes, wanted.Name, defaultClock);
            MarkerClass[] same = [.. classes.Where(c => IsSame(c, wanted))];
            _live[i] = wanted with { Id = same.Length > 0 ? same[0].Id : NewId(ids) };
            _committed[i] = clock;
        }

        _retired =
        [
            .. classes
                .Where(c => !_live.Any(l => l.Id == c.Id))
                .Select(c => new Retired(
                    WindowClass.Of(c with { Name = c.Pattern }),
                    c.ClockMs,
                    Array.FindIndex(_live, l => l.Name == c.Pattern)
                )),
        ];
        Abort();
    }

    /// <summary>Classes and clocks as they will be when the open transaction commits: the pipeline's first, then retired ones.</summary>
    /// <param name="buckets">The buckets that the changelog will then hold: a retired class without any is left out.</param>
    public ImmutableArray<MarkerClass> Pending(IReadOnlyCollection<MarkerBucket> buckets)
    {
        ImmutableArray<MarkerClass>.Builder result = ImmutableArray.CreateBuilder<MarkerClass>(
            _live.Length + _retired.Length
        );
        for (int i = 0; i < _live.Length; i++)
        {
            result.Add(MarkerOf(_live[i], _open[i]));
        }

        foreach (Retired retired in _retired)
        {
            bool isHighest = !_live.Any(l => l.Id > retired.Class.Id);
            if (isHighest || buckets.Any(b => b.Id.Class == retired.Class.Id))
            {
                result.Add(MarkerOf(retired.Class, ClockOf(retired, _open)).Retire());
            }
        }

        return result.ToImmutable();
    }

    private static MarkerClass MarkerOf(WindowClass c, long clockMs) =>
        new(c.Id, c.Name, c.WindowMs, c.GraceMs, c.BucketWidthMs, clockMs);

    private static bool IsSame(in MarkerClass c, WindowClass wanted) =>
        c.Name == wanted.Name
        && c.WindowMs == wanted.WindowMs
        && c.GraceMs == wanted.GraceMs
        && c.BucketWidthMs == wanted.BucketWidthMs;

    private static long ClockOf(ImmutableArray<MarkerClass> classes, string name, long otherwise)
    {
        foreach (MarkerClass c in classes)
        {
            if (c.Name == name)
            {
                return c.ClockMs;
            }
        }

        return otherwise;
    }

    /// <summary>
    /// The clock by which a retired class's buckets expire: that of the class that took over its name, less by how much longer
    /// that one remembers.
    /// </summary>
    private long ClockOf(in Retired retired, long[] clocks)
    {
        if (retired.Successor < 0)
        {
            return Math.Max(retired.ClockMs, clocks.Max());
        }

        long clock = clocks[retired.Successor];
        long longer = _live[retired.Successor].RetentionMs - retired.Class.RetentionMs;
        return clock == Unset ? retired.ClockMs : Math.Max(retired.ClockMs, clock - longer);
    }

    /// <summary>The id after the highest; after 65,535 changes of windows the lowest that the state does not know.</summary>
    private static ushort NewId(HashSet<int> ids)
    {
        int id = ids.Count == 0 ? 0 : ids.Max() + 1;
        if (id > ushort.MaxValue)
        {
            id = Enumerable.Range(0, ushort.MaxValue + 1).First(i => !ids.Contains(i));
        }

        _ = ids.Add(id);
        return (ushort)id;
    }

    private bool TryGet(
        ushort classId,
        long[] clocks,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out WindowClass? its,
        out long clockMs
    )
    {
        for (int i = 0; i < _live.Length; i++)
        {
            if (_live[i].Id == classId)
            {
                (its, clockMs) = (_live[i], clocks[i]);
                return true;
            }
        }

        foreach (ref readonly Retired retired in _retired.AsSpan())
        {
            if (retired.Class.Id == classId)
            {
                (its, clockMs) = (retired.Class, ClockOf(retired, clocks));
                return true;
            }
        }

        (its, clockMs) = (null, Unset);
        return false;
    }

    private readonly record struct Retired(WindowClass Class, long ClockMs, int Successor);
}
