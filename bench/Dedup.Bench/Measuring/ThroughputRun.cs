using System.Diagnostics;
using Dedup.Bench.Clusters;
using Dedup.Bench.Contenders;
using Dedup.Bench.Workloads;

namespace Dedup.Bench.Measuring;

/// <summary>What one contender did with one input.</summary>
/// <param name="Contender">Name.</param>
/// <param name="Round">Round, from 1.</param>
/// <param name="Records">Records of the input.</param>
/// <param name="MeasuredRecords">Records committed between the two moments.</param>
/// <param name="Seconds">Seconds between the first sight of a committed offset and the last.</param>
/// <param name="StartSeconds">Seconds from the program's start to that first sight.</param>
/// <param name="CpuSeconds">CPU seconds between the two moments.</param>
/// <param name="CpuSecondsWhole">CPU seconds from the program's start to the second moment.</param>
/// <param name="PeakBytes">Largest resident size until the second moment.</param>
/// <param name="Output">What its output holds.</param>
/// <param name="Verdict">"exact", or what is wrong with the output.</param>
/// <param name="StoppedCleanly">Whether SIGTERM ended it, with exit code 0 or that of the signal.</param>
internal sealed record ThroughputResult(
    string Contender,
    int Round,
    long Records,
    long MeasuredRecords,
    double Seconds,
    double StartSeconds,
    double CpuSeconds,
    double CpuSecondsWhole,
    long PeakBytes,
    OutputCounts Output,
    string Verdict,
    bool StoppedCleanly
)
{
    /// <summary>Records per second between the two moments.</summary>
    public double RecordsPerSecond => MeasuredRecords / Seconds;

    /// <summary>Microseconds of CPU for a record between the two moments: equals CPU seconds per million records.</summary>
    public double CpuPerRecordUs => CpuSeconds * 1e6 / MeasuredRecords;

    /// <summary>The same over the whole process, start and compilation included.</summary>
    public double CpuPerRecordWholeUs => CpuSecondsWhole * 1e6 / Records;
}

/// <summary>Starts a contender, watches the group's committed offsets until they are the input's ends, and checks the output.</summary>
internal static class ThroughputRun
{
    // Often enough for runs of seconds, seldom enough to cost the broker nothing (one small request).
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan SecondHopQuiet = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    // 128 + 15: how a JVM and a shell say that SIGTERM ended them.
    private const int EndedBySigterm = 143;

    public static ThroughputResult Measure(
        BenchCluster cluster,
        Contender contender,
        string inputTopic,
        LoadedInput input,
        int round
    )
    {
        Progress.Say($"round {round}: {contender.Name}");
        contender.Prepare();
        using var watch = new GroupWatch(
            cluster.Bootstrap,
            contender.Group,
            inputTopic,
            input.Ends.Length
        );
        using GroupWatch? second = contender.SecondHop is { } hop
            ? new GroupWatch(cluster.Bootstrap, hop.Group, hop.Topic, input.Ends.Length)
            : null;
        long begun = Stopwatch.GetTimestamp();
        using MeasuredProcess process = contender.Start();
        Moment first = Moment.Of(process, 0);
        Moment last = first;
        bool hasBegun = false;
        long changed = begun;
        long secondCommitted = 0;
        while (
            last.Committed < input.Records
            || (second is not null && Stopwatch.GetElapsedTime(changed) < SecondHopQuiet)
        )
        {
            Thread.Sleep(PollEvery);
            long committed = watch.Committed();
            long between = second?.Committed() ?? 0;
            if (committed > last.Committed || between > secondCommitted)
            {
                secondCommitted = Math.Max(between, secondCommitted);
                committed = Math.Max(committed, last.Committed);
                changed = Stopwatch.GetTimestamp();
                last = Moment.Of(process, committed);
                first = hasBegun ? first : last;
                hasBegun = true;
            }

            if (!process.IsRunning || Stopwatch.GetElapsedTime(changed) > StallTimeout)
            {
                string why = process.IsRunning ? "makes no progress" : "has ended";
                throw new BenchException(
                    $"{contender.Name} {why} at {committed} of {input.Records} records\n{process.Tail()}"
                );
            }
        }

        // With an input of one transaction there is nothing between the first commit and the last: from the start, then.
        bool isTiny = last.Committed == first.Committed;
        Moment from = isTiny ? new Moment(0, begun, 0) : first;
        long peak = ProcessTree.Memory(process.Id, "VmHWM");
        bool inTime = process.Stop(StopTimeout);
        bool clean = inTime && process.ExitCode is 0 or EndedBySigterm;
        OutputCounts output = OutputCheck.Count(cluster.Bootstrap, contender.Output, input);
        return new ThroughputResult(
            contender.Name,
            round,
            input.Records,
            last.Committed - from.Committed,
            Stopwatch.GetElapsedTime(from.Time, last.Time).TotalSeconds,
            Stopwatch.GetElapsedTime(begun, from.Time).TotalSeconds,
            last.Cpu - from.Cpu,
            last.Cpu,
            peak,
            output,
            contender.Judge(output, input),
            clean
        );
    }

    private readonly record struct Moment(long Committed, long Time, double Cpu)
    {
        public static Moment Of(MeasuredProcess process, long committed) =>
            new(committed, Stopwatch.GetTimestamp(), process.CpuSeconds);
    }
}
