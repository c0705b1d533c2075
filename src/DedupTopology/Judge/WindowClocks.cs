using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Windows;

namespace Dedup.Topology.Judge;

/// <summary>
/// The window clocks of one partition, one for each class: the highest record timestamp seen. Those of the open transaction
/// are apart until it commits. Records beyond wall clock + max-future never get here, which bounds the clock.
/// </summary>
public sealed class WindowClocks
{
    /// <summary>Clock before the first record.</summary>
    public const long Unset = -1;

    private readonly long[] _committed;
    private readonly long[] _open;

    /// <summary>Makes clocks for that many classes.</summary>
    public WindowClocks(int classes)
    {
        _committed = new long[classes];
        _open = new long[classes];
        Array.Fill(_committed, Unset);
        Array.Fill(_open, Unset);
    }

    /// <summary>The clock of a class as the open transaction sees it.</summary>
    public long Open(int windowClass) => _open[windowClass];

    /// <summary>The clock of a class as of the last commit.</summary>
    public long Committed(int windowClass) => _committed[windowClass];

    /// <summary>A record was seen.</summary>
    /// <returns>The clock, this record included.</returns>
    public long See(int windowClass, long timestampMs)
    {
        ref long clock = ref _open[windowClass];
        if (timestampMs > clock)
        {
            clock = timestampMs;
        }

        return clock;
    }

    /// <summary>The transaction committed.</summary>
    public void Commit() => _open.CopyTo(_committed, 0);

    /// <summary>The transaction was aborted.</summary>
    public void Abort() => _committed.CopyTo(_open, 0);

    /// <summary>Takes the clocks over from a marker, by class id.</summary>
    public void Load(ImmutableArray<MarkerClass> classes)
    {
        Array.Fill(_committed, Unset);
        foreach (MarkerClass c in classes)
        {
            if (c.Id < _committed.Length)
            {
                _committed[c.Id] = c.ClockMs;
            }
        }

        Abort();
    }

    /// <summary>Classes and clocks as they will be when the open transaction commits.</summary>
    public ImmutableArray<MarkerClass> Pending(ImmutableArray<WindowClass> classes)
    {
        ImmutableArray<MarkerClass>.Builder result = ImmutableArray.CreateBuilder<MarkerClass>(
            classes.Length
        );
        foreach (WindowClass c in classes)
        {
            result.Add(
                new MarkerClass(c.Id, c.Name, c.WindowMs, c.GraceMs, c.BucketWidthMs, _open[c.Id])
            );
        }

        return result.MoveToImmutable();
    }
}
