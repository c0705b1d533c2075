using Dedup.Audit.Reports;

namespace Dedup.Audit;

/// <summary>Counts offsets read and reports them a few times a second. Used by several threads.</summary>
internal sealed class ProgressMeter(
    IProgress<AuditProgress>? progress,
    TimeProvider time,
    FindingLog findings,
    long total
)
{
    /// <summary>Ten a second are enough for a bar.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private long _done;
    private long _reported = long.MinValue;

    /// <summary>So many offsets further.</summary>
    public void Advance(long offsets)
    {
        _ = Interlocked.Add(ref _done, offsets);
        Tick(AuditPhase.Reading);
    }

    /// <summary>Reports if it is time to.</summary>
    public void Tick(AuditPhase phase)
    {
        if (progress is null)
        {
            return;
        }

        long now = time.GetTimestamp();
        long last = Interlocked.Read(ref _reported);
        if (
            (last == long.MinValue || time.GetElapsedTime(last, now) >= Interval)
            && Interlocked.CompareExchange(ref _reported, now, last) == last
        )
        {
            Report(phase);
        }
    }

    /// <summary>Reports.</summary>
    public void Report(AuditPhase phase) =>
        progress?.Report(
            new AuditProgress(
                phase,
                Math.Min(total, Interlocked.Read(ref _done)),
                total,
                findings.Total
            )
        );
}
