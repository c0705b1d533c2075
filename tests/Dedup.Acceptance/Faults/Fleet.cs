using System.Diagnostics;
using Dedup.Acceptance.Brokers;
using Dedup.Acceptance.Crash;
using Dedup.Host.CrashTest;
using Shouldly;

namespace Dedup.Acceptance.Faults;

/// <summary>
/// Some `dedup run` processes on one pipeline, with a load in the background, and the audit from outside at the end. All of
/// it ends with the test, by PID.
/// </summary>
internal sealed class Fleet : WorkerSession
{
    /// <summary>Faults at a trickle prove little: records a second while they happen.</summary>
    public const int PerSecond = 22_000;

    /// <summary>Fewer audited records than a load of ten seconds are no proof.</summary>
    public const long LeastRecords = 200_000;

    private const long WarmUpRecords = 20_000;

    /// <summary>Of a static member whose join was taken but never answered, since the coordinator was killed (KIP-345): what it says when it ends.</summary>
    private const string TakenForAnother = "another process is in group";

    /// <summary>A machine that is busy with other things may take long; a hang takes for ever.</summary>
    private static readonly TimeSpan FirstCommitLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan AdvanceLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(3);

    /// <summary>The program promises to end within 10 s; starting to stop on a busy machine takes a moment more.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly List<WorkerProcess> _workers = [];
    private readonly HashSet<WorkerProcess> _running = [];
    private readonly Dictionary<WorkerProcess, WorkerLog> _logs = [];
    private readonly DateTime _made = DateTime.UtcNow;
    private BackgroundLoad? _load;

    private Fleet(CrashTopics topics, ITestOutputHelper output)
        : base(topics, output) { }

    public override IReadOnlyList<WorkerProcess> Workers => _workers;

    /// <summary>
    /// How many workers may still be started again, as a supervisor would, that the coordinator of the group took for another
    /// process of their name. Any other end of a worker by itself is a failure.
    /// </summary>
    public int RestartsLeft { get; set; }

    public BackgroundLoad Load => _load.ShouldNotBeNull();

    protected override BackgroundLoad? LoadIfAny => _load;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<Fleet> MakeAsync(
        string bootstrap,
        string test,
        ITestOutputHelper output
    ) =>
        new(
            await CrashTopics.MakeAsync(
                new CrashSettings
                {
                    Kafka = new Dictionary<string, string> { ["bootstrap.servers"] = bootstrap },
                    Prefix = RealKafka.NewName(test),
                },
                Cancellation
            ),
            output
        );

    /// <summary>One more process, not started.</summary>
    public WorkerProcess Add(
        string name,
        bool isStatic = true,
        IReadOnlyDictionary<string, string>? kafka = null
    )
    {
        var worker = new WorkerProcess(Topics, name, isStatic, kafka);
        _workers.Add(worker);
        _logs[worker] = new WorkerLog(worker);
        return worker;
    }

    public bool IsRunning(WorkerProcess worker) => _running.Contains(worker);

    /// <summary>What it has said since its last start.</summary>
    public WorkerLog LogOf(WorkerProcess worker) => _logs[worker];

    /// <summary>Starts it; from now on it must not end by itself.</summary>
    public void Start(WorkerProcess worker)
    {
        _logs[worker].Begin();
        worker.Start();
        _ = _running.Add(worker);
    }

    public void Kill(WorkerProcess worker)
    {
        _ = _running.Remove(worker);
        worker.Kill();
        // Process ids come again: what lay there before this fleet is not its own.
        Directory
            .GetFiles(Path.GetTempPath(), $"*-{worker.Id}-*")
            .Where(file => File.GetLastWriteTimeUtc(file) > _made)
            .ShouldBeEmpty("what a killed process leaves");
    }

    /// <summary>Starts it so that it dies at a named point, or by a limit, and waits for that; its exit code, null when it did not.</summary>
    public async Task<int?> StartToEndAsync(
        WorkerProcess worker,
        string crashAt = "",
        int mostFileKiB = 0
    )
    {
        _logs[worker].Begin();
        worker.Start(crashAt, mostFileKiB);
        return await EndsAsync(worker);
    }

    /// <summary>Waits until it has ended by itself, as it should; its exit code, null when it did not.</summary>
    public async Task<int?> EndsAsync(WorkerProcess worker)
    {
        _ = _running.Remove(worker);
        return await worker.EndsAsync(AdvanceLimit, Cancellation) ? worker.ExitCode : null;
    }

    /// <summary>SIGTERM: it has to end with 0.</summary>
    public async Task StopAsync(WorkerProcess worker)
    {
        _ = _running.Remove(worker);
        int? code = await worker.StopAsync(StopLimit, Cancellation);
        code.ShouldBe(0, $"{worker.Name} after SIGTERM\n{worker.Tail()}");
    }

    /// <summary>Starts all workers that there are and the load, and waits until all partitions have committed something.</summary>
    public async Task BeginAsync(ulong seed)
    {
        foreach (WorkerProcess worker in _workers)
        {
            Start(worker);
        }

        // A coordinator that is still being made takes seconds: the load is for what comes after.
        _load = BackgroundLoad.Start(
            Topics,
            new LoadPlan
            {
                Records = long.MaxValue,
                PerSecond = PerSecond,
                HoldAt = WarmUpRecords,
            },
            seed
        );
        TimeSpan? first = await Offsets.AdvancedAsync(
            new long[Topics.Partitions],
            FirstCommitLimit,
            () => Load.IsHeld,
            AllRun,
            Cancellation
        );
        first.ShouldNotBeNull($"no first commit in every partition\n{Tails()}");
        Load.GoOn();
        Say($"first commits after {first.Value.TotalSeconds:0.0} s");
    }

    /// <summary>Waits until every partition has committed more than now, and says how long that took.</summary>
    public async Task<TimeSpan> AdvanceAsync(string after)
    {
        long begun = Stopwatch.GetTimestamp();
        long[]? before = Offsets.Committed();
        while (before is null)
        {
            Stopwatch
                .GetElapsedTime(begun)
                .ShouldBeLessThan(AdvanceLimit, $"{after}: nobody answers for the group");
            before = Offsets.Committed();
        }

        TimeSpan? took = await Offsets.AdvancedAsync(
            before,
            AdvanceLimit,
            () => Load.IsDone || Load.IsHeld,
            AllRun,
            Cancellation
        );
        took.ShouldNotBeNull($"{after}: no commit in every partition\n{Tails()}");
        Say($"{after}: all partitions go on after {took.Value.TotalSeconds:0.0} s");
        return took.Value;
    }

    /// <summary>Waits until the worker has said it since its last start; the first line with it.</summary>
    public async Task<LogLine> SaidAsync(WorkerProcess worker, params string[] what)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            if (_logs[worker].First(what) is { } line)
            {
                return line;
            }

            AllRun().ShouldBeTrue($"a worker ended by itself\n{Tails()}");
            Stopwatch
                .GetElapsedTime(begun)
                .ShouldBeLessThan(
                    AdvanceLimit,
                    $"{worker.Name} never said {string.Join(" … ", what)}\n{worker.Tail()}"
                );
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>Waits until the load has sent so many records.</summary>
    public async Task SentAsync(long records)
    {
        while (Load.Sent < records)
        {
            Load.Failure.ShouldBeNull();
            AllRun().ShouldBeTrue($"a worker ended by itself\n{Tails()}");
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>
    /// Ends the load, waits for the end of the work, stops all processes cleanly, audits: sound, complete, and enough of it.
    /// </summary>
    public async Task EndAsync()
    {
        await SentAsync(LeastRecords);
        // Held and not stopped: what a stopped load had not handed over yet would be missing in its count of IDs.
        Load.Hold();
        while (!Load.IsHeld)
        {
            await Task.Delay(20, Cancellation);
        }

        Load.Stop();
        Load.Failure.ShouldBeNull();
        Say(
            $"load: {Load.Sent} records in {Load.Duration.TotalSeconds:0.0} s, {Load.Sent / Load.Duration.TotalSeconds:0}/s"
        );
        bool drained = await Offsets.DrainedAsync(DrainLimit, AllRun, Cancellation);
        drained.ShouldBeTrue(
            $"not drained: {string.Join(' ', Offsets.Committed() ?? [])} of {string.Join(' ', Offsets.Ends())}\n{Tails()}"
        );
        Say("drained");
        await Task.WhenAll(_running.ToArray().Select(StopAsync));
        AuditShouldBeSound(Load).Counts.Duplicates.ShouldBeGreaterThan(0);
    }

    private bool AllRun()
    {
        foreach (WorkerProcess ended in _running.Where(static w => !w.IsRunning).ToArray())
        {
            if (RestartsLeft == 0 || !_logs[ended].Has(TakenForAnother))
            {
                return false;
            }

            RestartsLeft--;
            Say($"{ended.Name} was taken for another process of its name, and is started again");
            Start(ended);
        }

        return true;
    }
}
