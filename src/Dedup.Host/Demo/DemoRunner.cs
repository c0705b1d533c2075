using System.Diagnostics;
using System.Globalization;
using Dedup.Audit;
using Dedup.Audit.Reports;
using Dedup.Host.Brokers;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;
using Dedup.Topology.Pipelines;

namespace Dedup.Host.Demo;

/// <summary>The demo from beginning to end: broker, topics, orders, worker, a kill half way, audit, and everything away again.</summary>
internal sealed class DemoRunner
{
    private const int RealOrders = 200_000;
    private const int MockOrders = 20_000;

    // About ten seconds to watch.
    private const int SecondsToWatch = 10;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(12);

    // From the last order sent to the last one judged; a kill costs a restart and a take-over besides.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(60);

    private readonly CliContext _context;
    private readonly CancellationToken _cancellation;
    private string _workerText = "starting";
    private WorkerStatus _last;
    private Worker? _worker;

    public DemoRunner(CliContext context, CancellationToken cancellation)
    {
        _context = context;
        _cancellation = cancellation;
    }

    /// <summary>Runs the demo; returns the exit code.</summary>
    public async Task<int> RunAsync(bool forceMock)
    {
        await using DemoBroker broker = await DemoBroker.StartAsync(forceMock, Say, _cancellation);
        var plan = new DemoPlan
        {
            IsMock = broker.IsMock,
            Orders = broker.IsMock ? MockOrders : RealOrders,
            OrdersPerSecond = (broker.IsMock ? MockOrders : RealOrders) / SecondsToWatch,
        };
        Say($"working on {broker.Name} at {broker.Bootstrap}");
        if (broker.IsMock)
        {
            Say(
                "the mock forgets committed offsets, does not hide aborted records, and keeps only the newest 5 MB of a partition:"
            );
            Say(
                "so no worker is killed here, and nothing is proved; with KAFKA_HOME set to a Kafka distribution the demo shows both"
            );
        }

        string directory = Directory.CreateTempSubdirectory("dedup-demo-").FullName;
        // Takes worker and directory with it even when this process is killed.
        using OrphanGuard guard = OrphanGuard.ForDirectory(directory);
        try
        {
            return await InDirectory(broker, plan, directory);
        }
        finally
        {
            _worker?.Dispose();
            if (broker.IsShared)
            {
                await DemoTopics.RemoveAsync(broker.Bootstrap, plan, Say);
            }
        }
    }

    private async Task<int> InDirectory(DemoBroker broker, DemoPlan plan, string directory)
    {
        string file = Path.Combine(directory, "dedup.yaml");
        await File.WriteAllTextAsync(
            file,
            plan.Yaml(broker.Bootstrap, Path.Combine(directory, "state")),
            _cancellation
        );
        DedupConfig config =
            ConfigLoader.LoadFile(file, static _ => null).Config
            ?? throw new InvalidOperationException("the demo's own configuration is wrong");
        await DemoTopics.MakeAsync(config, plan, _cancellation);
        Say(
            $"sending {N(plan.Orders)} orders, of which {N(plan.Duplicates)} are sent twice, to {plan.Input}"
        );
        Say($"dedup run stands between {plan.Input} and {plan.Clean}, as a process of its own");
        var source = new OrderSource(broker.Bootstrap, plan);
        Task sending = Task.Factory.StartNew(
            () => source.Send(_cancellation),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        Task playing = Play(file, plan, sending);
        await new DemoView(_context).ShowAsync(
            playing,
            () => new DemoLook(source.Sent, plan.Orders, _worker?.Status ?? _last, _workerText)
        );
        await playing;
        int code = _worker!.Stop(StopPatience);
        if (code != 0)
        {
            throw new ProblemException(
                ExitCode.LaneFailed,
                $"the worker ended with {code}: {_worker.Problems}",
                "run the demo again, and report it if it happens again"
            );
        }

        return await Conclude(config, plan, source);
    }

    private async Task Play(string file, DemoPlan plan, Task sending)
    {
        _worker = Worker.Start(file, plan.IsMock, default);
        _workerText = $"running, PID {_worker.ProcessId}";
        bool killed = plan.IsMock;
        long drained = 0;
        while (_worker.Status.Judged < plan.Orders)
        {
            await Task.Delay(Look, _cancellation);
            if (sending.IsFaulted)
            {
                await sending;
            }

            if (_worker.HasExited)
            {
                throw new ProblemException(
                    ExitCode.LaneFailed,
                    $"the worker ended with {_worker.ExitCode}: {_worker.Problems}",
                    "see 'dedup run --help'; run the demo again"
                );
            }

            if (!killed && _worker.Status.Judged >= plan.Orders / 2)
            {
                killed = true;
                KillAndRestart(file);
            }

            drained =
                !sending.IsCompleted ? 0
                : drained == 0 ? Stopwatch.GetTimestamp()
                : drained;
            if (drained != 0 && Stopwatch.GetElapsedTime(drained) > DrainPatience)
            {
                throw new ProblemException(
                    ExitCode.LaneFailed,
                    $"only {N(_worker.Status.Judged)} of {N(plan.Orders)} orders were judged: {_worker.Problems}",
                    "run the demo again on a machine that is less busy"
                );
            }
        }

        await sending;
    }

    private void KillAndRestart(string file)
    {
        int killed = _worker!.ProcessId;
        _last = _worker.Status;
        _worker.Kill();
        _worker.Dispose();
        _worker = Worker.Start(file, isMock: false, _last);
        _workerText =
            $"PID {killed} killed (SIGKILL) after {N(_last.Judged)}, PID {_worker.ProcessId} took over";
        if (!_context.IsTerminal)
        {
            Say(_workerText);
        }
    }

    private async Task<int> Conclude(DedupConfig config, DemoPlan plan, OrderSource source)
    {
        Say("auditing input and clean topic from outside (dedup verify)");
        PipelineSpec spec = config.Pipelines[0];
        AuditReport report = await Task.Run(
            () =>
                KafkaAudit.Run(
                    new AuditRequest
                    {
                        Kafka = config.Kafka.ToDictionary(),
                        Input = plan.Input,
                        Clean = plan.Clean,
                        Quarantine = plan.IsMock ? null : plan.Quarantine,
                        Group = plan.IsMock ? null : plan.Group,
                        // The mock does not answer; waiting for that took 20 s a topic.
                        Compacted = plan.IsMock ? false : null,
                        Rules = new AuditRules
                        {
                            Recipe = spec.Recipe,
                            Window = new AuditWindow(
                                spec.Windows[0].WindowMs,
                                spec.Windows[0].GraceMs
                            ),
                        },
                    },
                    cancellation: _cancellation
                ),
            _cancellation
        );
        return new DemoResult(_context, plan).Print(
            report,
            DemoExamples.Find(config, plan, source.Repeated)
        );
    }

    private void Say(string line) => _context.Out.WriteLine(line);

    private static string N(long n) => n.ToString("#,0", CultureInfo.InvariantCulture);
}
