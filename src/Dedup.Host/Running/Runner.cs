using System.Collections.Immutable;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;
using Dedup.Host.CrashTest;
using Dedup.Host.Guards;
using Dedup.Host.Schemas;
using Dedup.Kafka.Running;
using Dedup.RocksDb;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Proof;

namespace Dedup.Host.Running;

/// <summary><c>dedup run</c> once its configuration is known: guards, then the runtime, with a status line now and then.</summary>
internal sealed class Runner
{
    // The program and its brokers are often started together; a broker takes some ten seconds.
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    private readonly CliContext _context;
    private readonly DedupConfig _config;
    private readonly EventLog _log;
    private readonly TimeSpan _statusEvery;
    private readonly bool _isMock;
    private readonly ICrashPoints _crashPoints;

    public Runner(
        CliContext context,
        DedupConfig config,
        LogFormat format,
        TimeSpan statusEvery,
        bool isMock
    )
    {
        _context = context;
        _config = config;
        _statusEvery = statusEvery;
        _isMock = isMock;
        _log = new EventLog(context, format);
        _crashPoints =
            KillAtPoint.FromEnvironment(context.Environment)
            ?? (ICrashPoints)NoCrashPoints.Instance;
    }

    /// <summary>Runs until a signal or a failure; returns the exit code.</summary>
    public async Task<int> RunAsync()
    {
        using var signals = new StopSignals(name =>
            Say(
                EventLevel.Info,
                "process.stopping",
                $"{name}: commit, flush, close; again to end at once"
            )
        );
        var findings = new FindingList();
        using InstanceLock? held = InstanceLock.Take(
            _config.State.Directory,
            _config.PlaceOf("state.directory").ToString(),
            findings
        );
        ClusterFacts? facts;
        try
        {
            facts = await AskCluster(findings, signals.Stop);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Done;
        }

        foreach (Finding warning in findings.All.Where(static f => f.Severity == Severity.Warning))
        {
            Say(
                EventLevel.Warning,
                "guard.warning",
                $"{warning.Where}: {warning.What}; fix: {warning.Fix}"
            );
        }

        if (findings.HasErrors || held is null || facts is null)
        {
            FindingPrinter.Print(
                findings.All.Where(static f => f.Severity == Severity.Error),
                _context.Error,
                _context
            );
            return ExitCode.Usage;
        }

        foreach (PipelineSpec spec in _config.Pipelines)
        {
            PipelineState.Claim(_config, spec, facts);
        }

        return await Run(held.InstanceId, facts, signals.Stop);
    }

    private async Task<ClusterFacts?> AskCluster(FindingList findings, CancellationToken stop)
    {
        (ClusterReader? reader, Finding? problem) = ClusterReader.Open(_config);
        if (reader is null)
        {
            findings.Add([problem!]);
            return null;
        }

        using (reader)
        {
            ClusterFacts facts = _isMock
                ? reader.ReadMetadata(_config.Pipelines)
                : await AskPatiently(reader, stop);
            findings.Add(ClusterGuards.Judge(_config, facts));
            foreach (PipelineSpec spec in _config.Pipelines)
            {
                PipelineState.Check(_config, spec, facts, findings);
            }

            return facts.Unreachable is null ? facts : null;
        }
    }

    private async Task<ClusterFacts> AskPatiently(ClusterReader reader, CancellationToken stop)
    {
        long begun = _context.Time.GetTimestamp();
        bool said = false;
        while (true)
        {
            ClusterFacts facts = await reader.ReadAsync(
                _config.Pipelines,
                stop,
                withTransactions: true
            );
            if (
                facts.Unreachable is null
                || !facts.MayComeBack
                || _context.Time.GetElapsedTime(begun) > BrokerPatience
            )
            {
                return facts;
            }

            if (!said)
            {
                said = true;
                Say(
                    EventLevel.Warning,
                    "kafka.unreachable",
                    $"{facts.Unreachable.What}; trying for {BrokerPatience.TotalSeconds:0} s"
                );
            }

            await Task.Delay(AskAgainAfter, _context.Time, stop);
        }
    }

    private async Task<int> Run(string instanceId, ClusterFacts facts, CancellationToken stop)
    {
        var budget = Composition.Budget(_config);
        using var validators = new Validators();
        DedupConfig config = validators.Equip(_config, _log.Write, _context.Time);
        var runtime = new Runtime(
            Composition.Options(config, facts, budget, instanceId, _log.Write, _crashPoints)
        );
        Say(
            EventLevel.Info,
            "process.started",
            $"{string.Join(", ", _config.Pipelines.Select(static p => $"{p.Input} → {p.Clean}"))}; instance {instanceId}, {_config.Lanes} lanes each, state in {_config.State.Directory}"
        );
        if (_crashPoints is KillAtPoint kill)
        {
            Say(
                EventLevel.Warning,
                "process.will-crash",
                $"{KillAtPoint.Variable} asks for a SIGKILL at {kill.Point}: a test facility"
            );
        }

        using var done = new CancellationTokenSource();
        Task status = ShowStatus(runtime.Snapshot, done.Token);
        RuntimeEnd end;
        try
        {
            end = await runtime.RunAsync(stop);
        }
        finally
        {
            await done.CancelAsync();
            await status;
        }

        ShowOnce(runtime.Snapshot(), [], TimeSpan.Zero);
        return Close(runtime, budget, end);
    }

    private int Close(Runtime runtime, StoreBudget budget, RuntimeEnd end)
    {
        if (end == RuntimeEnd.Stopped)
        {
            runtime.Dispose();
            budget.Dispose();
            Say(EventLevel.Info, "process.stopped", "all committed and closed");
            return ExitCode.Done;
        }

        // A lane that hangs still uses its store and its clients: the process takes them with it.
        SayFailures(runtime);
        return ExitCode.LaneFailed;
    }

    private void SayFailures(Runtime runtime)
    {
        foreach (LaneSnapshot lane in runtime.Snapshot().Where(static l => l.Failure is not null))
        {
            _context.Error.WriteLine(
                $"dedup: error: lane {lane.Lane} of pipeline '{lane.Pipeline}' failed: {lane.Failure!.ReplaceLineEndings(" ")}"
            );
        }

        Say(
            EventLevel.Error,
            "process.failed",
            "nothing is lost: a restart goes on from the last commit"
        );
    }

    private async Task ShowStatus(Func<ImmutableArray<LaneSnapshot>> look, CancellationToken done)
    {
        var before = new Dictionary<string, long>(StringComparer.Ordinal);
        long last = _context.Time.GetTimestamp();
        using var timer = new PeriodicTimer(_statusEvery, _context.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(done))
            {
                TimeSpan elapsed = _context.Time.GetElapsedTime(last);
                last = _context.Time.GetTimestamp();
                foreach (PipelineStatus status in ShowOnce(look(), before, elapsed))
                {
                    before[status.Pipeline] = status.Records;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private ImmutableArray<PipelineStatus> ShowOnce(
        ImmutableArray<LaneSnapshot> lanes,
        Dictionary<string, long> before,
        TimeSpan elapsed
    )
    {
        ImmutableArray<PipelineStatus> all = PipelineStatus.Of(lanes, before, elapsed);
        foreach (PipelineStatus status in all)
        {
            _log.Write(status);
        }

        return all;
    }

    private void Say(EventLevel level, string name, string text) =>
        _log.Write(new RuntimeEvent(level, name, "", -1, text));
}
