using System.Collections.Immutable;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Native;
using Dedup.Topology.Pipelines;

namespace Dedup.Kafka.Running;

/// <summary>How the runtime ended.</summary>
public enum RuntimeEnd : byte
{
    /// <summary>Asked to stop; all committed and closed.</summary>
    Stopped,

    /// <summary>A lane failed; nothing is lost, and a restart goes on from the last commit.</summary>
    Failed,
}

/// <summary>Runs the lanes of all pipelines of a process.</summary>
public sealed class Runtime : IDisposable
{
    private static readonly TimeSpan FactsTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(100);

    private readonly RuntimeOptions _options;
    private readonly List<LaneRunner> _runners = [];

    /// <summary>Makes a runtime; nothing happens before <see cref="RunAsync"/>.</summary>
    public Runtime(RuntimeOptions options) => _options = options;

    /// <summary>The lanes as of their last look at themselves, at most a quarter of a second old. From any thread.</summary>
    public ImmutableArray<LaneSnapshot> Snapshot()
    {
        lock (_runners)
        {
            return [.. _runners.Select(static r => r.Snapshot)];
        }
    }

    /// <summary>Runs until asked to stop or a lane fails. Throws KafkaException when the cluster cannot be asked at the start.</summary>
    public async Task<RuntimeEnd> RunAsync(CancellationToken stop)
    {
        Allocator.Tune();
        if (NativeHandles.Obstacle is { } obstacle)
        {
            Say(
                EventLevel.Warning,
                "transport.managed",
                $"the slower managed transport is used: {obstacle}"
            );
        }

        foreach (PipelineSpec spec in _options.Pipelines)
        {
            if (spec.Partitioning == Partitioning.ById)
            {
                StateIdentity input = await IdentityOf(spec.RekeyHop(0)).ConfigureAwait(false);
                StateIdentity between = await IdentityOf(spec.JudgeHop(0)).ConfigureAwait(false);
                AddLanes(spec.RekeyHop(between.PartitionCount), input);
                AddLanes(spec.JudgeHop(input.PartitionCount), between);
            }
            else
            {
                AddLanes(spec, await IdentityOf(spec).ConfigureAwait(false));
            }
        }

        _runners.ForEach(static r => r.Start());
        using var timer = new PeriodicTimer(WatchEvery, _options.Time);
        while (!stop.IsCancellationRequested && !_runners.Exists(HasEnded))
        {
            _ = await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false);
        }

        return StopAll();
    }

    /// <inheritdoc/>
    public void Dispose() => _runners.ForEach(static r => r.Dispose());

    private static bool HasEnded(LaneRunner runner) =>
        runner.Snapshot.State is LaneState.Failed or LaneState.Stopped;

    private async Task<StateIdentity> IdentityOf(PipelineSpec hop) =>
        _options.Identity?.Invoke(hop)
        ?? await PipelineFacts.ReadAsync(_options.Clients, hop, FactsTimeout).ConfigureAwait(false);

    private void AddLanes(PipelineSpec hop, StateIdentity identity)
    {
        for (int lane = 0; lane < _options.Lanes; lane++)
        {
            var runner = new LaneRunner(hop, identity, _options, lane);
            lock (_runners)
            {
                _runners.Add(runner);
            }
        }
    }

    private RuntimeEnd StopAll()
    {
        _runners.ForEach(static r => r.Stop());
        long until = Environment.TickCount64 + (long)StopTimeout.TotalMilliseconds;
        bool all = true;
        foreach (LaneRunner runner in _runners)
        {
            long left = Math.Max(1, until - Environment.TickCount64);
            if (!runner.Join(TimeSpan.FromMilliseconds(left)))
            {
                all = false;
                Say(
                    EventLevel.Error,
                    "lane.stuck",
                    $"lane {runner.Snapshot.Lane} of {runner.Snapshot.Pipeline} did not stop in time; what it had open is judged again at the next start"
                );
            }
        }

        return all && _runners.TrueForAll(static r => r.Snapshot.State == LaneState.Stopped)
            ? RuntimeEnd.Stopped
            : RuntimeEnd.Failed;
    }

    private void Say(EventLevel level, string name, string text) =>
        _options.Log(new RuntimeEvent(level, name, "", -1, text));
}
