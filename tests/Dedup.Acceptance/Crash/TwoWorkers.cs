using System.Diagnostics;
using Dedup.Acceptance.Brokers;
using Dedup.Host.CrashTest;
using Shouldly;

namespace Dedup.Acceptance.Crash;

/// <summary>Two `dedup run` processes on one pipeline, with a load in the background. All of it ends with the test, by PID.</summary>
internal sealed class TwoWorkers : WorkerSession
{
    private const long WarmUpRecords = 20_000;

    private static readonly TimeSpan FirstCommitLimit = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(90);

    /// <summary>The program promises to end within 10 s; starting to stop on a busy machine takes a moment more.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private TwoWorkers(CrashTopics topics, ITestOutputHelper output)
        : base(topics, output) =>
        Workers = [new WorkerProcess(topics, "one"), new WorkerProcess(topics, "two")];

    public override WorkerProcess[] Workers { get; }

    public BackgroundLoad? Load { get; private set; }

    protected override BackgroundLoad? LoadIfAny => Load;

    public static async Task<TwoWorkers> MakeAsync(
        RealKafka kafka,
        string test,
        ITestOutputHelper output,
        int? repartitionPartitions = null
    ) =>
        new(
            await CrashTopics.MakeAsync(
                new CrashSettings
                {
                    Kafka = new Dictionary<string, string>
                    {
                        ["bootstrap.servers"] = await kafka.BootstrapServersAsync(),
                    },
                    Prefix = RealKafka.NewName(test),
                    RepartitionPartitions = repartitionPartitions,
                },
                TestContext.Current.CancellationToken
            ),
            output
        );

    /// <summary>Starts both and the load, and waits until all partitions have committed something.</summary>
    public async Task BeginAsync(LoadPlan plan, ulong seed)
    {
        foreach (WorkerProcess worker in Workers)
        {
            worker.Start();
        }

        // A coordinator that is still being made takes seconds: the load is for what comes after.
        Load = BackgroundLoad.Start(Topics, plan with { HoldAt = WarmUpRecords }, seed);
        TimeSpan? first = await Offsets.AdvancedAsync(
            new long[Topics.Partitions],
            FirstCommitLimit,
            () => Load.IsDone,
            AllRun,
            TestContext.Current.CancellationToken
        );
        first.ShouldNotBeNull($"no first commit in every partition\n{Tails()}");
        Load.GoOn();
        Say($"first commits after {first.Value.TotalSeconds:0.0} s");
    }

    /// <summary>Time until every partition that has something to do has committed more than now.</summary>
    public async Task<TimeSpan> AdvanceAsync(TimeSpan limit)
    {
        long[] before = Offsets.Committed().ShouldNotBeNull();
        TimeSpan? took = await Offsets.AdvancedAsync(
            before,
            limit,
            () => Load.ShouldNotBeNull().IsDone,
            AllRun,
            TestContext.Current.CancellationToken
        );
        return took.ShouldNotBeNull($"no commit in every partition within {limit}\n{Tails()}");
    }

    /// <summary>Waits for the end of the load and of the work, stops both cleanly, audits: sound, nothing missing in the counts.</summary>
    public async Task EndAsync()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        BackgroundLoad load = Load.ShouldNotBeNull();
        while (!load.IsDone)
        {
            AllRun().ShouldBeTrue($"a worker ended by itself\n{Tails()}");
            await Task.Delay(50, cancellation);
        }

        load.Failure.ShouldBeNull();
        Say(
            $"load: {load.Sent} records in {load.Duration.TotalSeconds:0.0} s, {load.Sent / load.Duration.TotalSeconds:0}/s"
        );
        bool drained = await Offsets.DrainedAsync(DrainLimit, AllRun, cancellation);
        drained.ShouldBeTrue(
            $"not drained: {string.Join(' ', Offsets.Committed() ?? [])} of {string.Join(' ', Offsets.Ends())}\n{Tails()}"
        );
        if (Topics.IsById)
        {
            // The log between the hops ends in control records, which nobody commits past: the audit sees what is on its way.
            long begun = Stopwatch.GetTimestamp();
            while (Topics.Audit(cancellation).Counts.In < load.Sent)
            {
                (Stopwatch.GetElapsedTime(begun) < DrainLimit && AllRun()).ShouldBeTrue(
                    $"the second hop is not drained\n{Tails()}"
                );
                await Task.Delay(250, cancellation);
            }
        }

        Say("drained");
        foreach (WorkerProcess worker in Workers)
        {
            int? code = await worker.StopAsync(StopLimit, cancellation);
            code.ShouldBe(0, $"{worker.Name} after SIGTERM\n{worker.Tail()}");
        }
        AuditShouldBeSound(load);
    }

    private bool AllRun() => Array.TrueForAll(Workers, static w => w.IsRunning);
}
