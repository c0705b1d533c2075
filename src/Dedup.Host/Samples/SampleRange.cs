using Dedup.Audit.Logs;

namespace Dedup.Host.Samples;

/// <summary>Which offsets of a topic are a sample.</summary>
/// <param name="From">First offset of each partition.</param>
/// <param name="To">Offset behind the last one of each partition.</param>
/// <param name="SinceMs">The time from which on everything is in it; null when the sample is not cut by time.</param>
/// <param name="IsWhole">Whether it is all that the topic has.</param>
public sealed record SampleRange(long[] From, long[] To, long? SinceMs, bool IsWhole)
{
    // From a minute back, doubled: 40 times reach before any clock.
    private const long FirstStepMs = 60_000;
    private const int MaxSteps = 40;

    /// <summary>Enough to come within a percent of the wanted number.</summary>
    private const int MaxBisections = 24;

    /// <summary>Offsets in it; control records of transactions count among them.</summary>
    public long Offsets => From.Zip(To, static (from, to) => to - from).Sum();

    /// <summary>
    /// The newest records, at most so many, from the same time on in every partition: only so a repeat in another partition is
    /// in the sample as well. Where timestamps do not tell (all the same, or without order), the same share of each partition.
    /// </summary>
    /// <param name="log">The topic.</param>
    /// <param name="most">Most offsets.</param>
    /// <param name="offsetsAt">For a time the first offset of each partition at or after it.</param>
    /// <param name="nowMs">The wall clock.</param>
    public static SampleRange Newest(
        ITopicLog log,
        long most,
        Func<long, long[]> offsetsAt,
        long nowMs
    )
    {
        LogRange[] ranges = [.. Enumerable.Range(0, log.Partitions).Select(log.RangeOf)];
        long[] low = [.. ranges.Select(static r => r.Low)];
        long[] high = [.. ranges.Select(static r => r.High)];
        var whole = new SampleRange(low, high, null, IsWhole: true);
        if (whole.Offsets <= most)
        {
            return whole;
        }

        SampleRange byTime = SinceTime(high, most, offsetsAt, nowMs);
        return byTime.Offsets >= most / 2 ? byTime : ByShare(whole, most);
    }

    private static SampleRange SinceTime(
        long[] high,
        long most,
        Func<long, long[]> offsetsAt,
        long nowMs
    )
    {
        long tooMany = nowMs;
        long fits = nowMs;
        var best = new SampleRange(high, high, nowMs, IsWhole: false);
        for (int i = 0; i < MaxSteps && tooMany == fits; i++)
        {
            Try(Math.Max(1, nowMs - (FirstStepMs << i)));
        }

        for (
            int i = 0;
            i < MaxBisections && fits - tooMany > 1 && best.Offsets < most * 99 / 100;
            i++
        )
        {
            Try(tooMany + ((fits - tooMany) / 2));
        }

        return best;

        void Try(long sinceMs)
        {
            var range = new SampleRange(offsetsAt(sinceMs), high, sinceMs, IsWhole: false);
            if (range.Offsets > most)
            {
                tooMany = sinceMs;
            }
            else
            {
                fits = sinceMs;
                tooMany = tooMany > fits ? fits : tooMany;
                best = range;
            }
        }
    }

    private static SampleRange ByShare(SampleRange whole, long most)
    {
        double share = (double)most / whole.Offsets;
        long[] from =
        [
            .. whole.From.Zip(whole.To, (low, high) => high - (long)((high - low) * share)),
        ];
        return new SampleRange(from, whole.To, null, IsWhole: false);
    }
}
