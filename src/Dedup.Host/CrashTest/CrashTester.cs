using System.Diagnostics;
using Dedup.Audit.Reports;
using Dedup.Host.Running;
using Dedup.RocksDb;
using Dedup.Topology.Proof;

namespace Dedup.Host.CrashTest;

/// <summary>How a wait for a crash ended.</summary>
internal enum CrashOutcome
{
    /// <summary>The process killed itself at the point.</summary>
    Reached,

    /// <summary>It ran on and did not come by; it was killed.</summary>
    NotReached,

    /// <summary>It ended in another way.</summary>
    EndedOtherwise,
}

/// <summary>
/// A victim on topics of its own, under a load that makes every named point happen: event time that runs ahead, so that
/// buckets expire; little memory, so that tables are sealed; records that the clean topic refuses, so that transactions are
/// aborted; a lost state, so that it is restored; a second member that joins, so that partitions are revoked.
/// </summary>
internal sealed class CrashTester : IAsyncDisposable
{
    /// <summary>SIGKILL as shells and .NET count it: 128 + 9.</summary>
    private const int KilledBySignal = 137;

    /// <summary>One odd record costs the lane some ten aborted transactions: this often, and it still keeps up.</summary>
    private const int OddEvery = 20_000;

    /// <summary>A victim that dies again and again falls behind: beyond this there is work enough without more load.</summary>
    private const long MostBacklog = 200_000;

    /// <summary>Event time goes so much faster than the wall clock that a minute's window passes in seconds.</summary>
    private static readonly TimeSpan EventStep = TimeSpan.FromMilliseconds(1);

    /// <summary>Event time that one round may need; the load begins so far in the past.</summary>
    private static readonly TimeSpan EventTimePerRound = TimeSpan.FromMinutes(10);

    /// <summary>Kafka's own default of retention.ms is seven days: older records could be deleted under the audit.</summary>
    private static readonly TimeSpan MostEventTime = TimeSpan.FromDays(5);

    private static readonly TimeSpan RefusedAge = TimeSpan.FromDays(100);
    private static readonly TimeSpan ReachLimit = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan RecoverLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly CrashTopics _topics;
    private readonly WorkerProcess _victim;
    private readonly WorkerProcess _other;
    private readonly CommittedOffsets _offsets;
    private readonly BackgroundLoad _load;
    private ulong _random;
    private long _diedAt;
    private long[]? _committedAtDeath;

    private CrashTester(CrashTopics topics, LoadPlan plan, int seed)
    {
        _topics = topics;
        _random = (ulong)seed;
        _victim = new WorkerProcess(topics, "victim");
        // A static member that is stopped keeps its partitions until the session time-out; this one comes and goes.
        _other = new WorkerProcess(topics, "other", isStatic: false);
        _offsets = new CommittedOffsets(topics);
        _load = BackgroundLoad.Start(topics, plan, (ulong)seed);
    }

    /// <summary>Records sent so far.</summary>
    public long Sent => _load.Sent;

    /// <summary>Temporary directory with the logs, until <see cref="DisposeAsync"/>.</summary>
    public string Directory => _topics.Directory;

    /// <summary>The last that the victim said.</summary>
    public string Tail => _victim.Tail();

    /// <summary>Makes topics and starts the load.</summary>
    /// <param name="kafka">librdkafka's properties.</param>
    /// <param name="prefix">Begins the topics' names.</param>
    /// <param name="rounds">How many crashes there will be.</param>
    /// <param name="seed">Decides which passing of a point it is.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Commands.ProblemException">Topics could not be made.</exception>
    public static async Task<CrashTester> StartAsync(
        IReadOnlyDictionary<string, string> kafka,
        string prefix,
        int rounds,
        int seed,
        CancellationToken cancellation
    )
    {
        CrashTopics topics = await CrashTopics.MakeAsync(
            new CrashSettings
            {
                Kafka = kafka,
                Prefix = prefix,
                Window = TimeSpan.FromMinutes(1),
                CleanRefusesOlderThan = RefusedAge,
            },
            cancellation
        );
        TimeSpan back = rounds * EventTimePerRound;
        return new CrashTester(
            topics,
            new LoadPlan
            {
                Records = long.MaxValue,
                EventStep = EventStep,
                EventsFrom = back < MostEventTime ? back : MostEventTime,
                // At a millisecond for each, all within the window of a minute.
                Reach = 30_000,
                OddAge = 2 * RefusedAge,
            },
            seed
        );
    }

    /// <summary>Starts the victim so that it dies at the point, and waits for that.</summary>
    public async Task<CrashOutcome> CrashAsync(string point, CancellationToken cancellation)
    {
        Prepare(point);
        long[] before = _offsets.Committed() ?? new long[_topics.Partitions];
        if (_load.Sent - before.Sum() > MostBacklog)
        {
            _load.Hold();
        }
        else
        {
            _load.GoOn();
        }

        _victim.Start($"{point}:{Passing(point)}");
        if (IsRevoke(point))
        {
            _ = await _offsets.AdvancedAsync(
                before,
                ReachLimit,
                static () => false,
                () => _victim.IsRunning,
                cancellation
            );
            _other.Start();
        }

        bool ended = await _victim.EndsAsync(ReachLimit, cancellation);
        _diedAt = Stopwatch.GetTimestamp();
        _load.OddEvery = 0;
        if (!ended)
        {
            _victim.Kill();
        }

        _committedAtDeath = _offsets.Committed();
        return !ended ? CrashOutcome.NotReached
            : _victim.ExitCode == KilledBySignal ? CrashOutcome.Reached
            : CrashOutcome.EndedOtherwise;
    }

    /// <summary>
    /// Starts the victim again, without a crash; the time from its death until every partition has committed a further record,
    /// null when that does not come.
    /// </summary>
    public async Task<TimeSpan?> RecoverAsync(CancellationToken cancellation)
    {
        _victim.Start();
        TimeSpan? took = await _offsets.AdvancedAsync(
            _committedAtDeath ?? new long[_topics.Partitions],
            RecoverLimit,
            () => _load.IsDone || _load.IsHeld,
            () => _victim.IsRunning,
            cancellation
        );
        TimeSpan sinceDeath = Stopwatch.GetElapsedTime(_diedAt);
        if (_other.IsRunning)
        {
            _ = await _other.StopAsync(StopLimit, cancellation);
        }

        return took is null ? null : sinceDeath;
    }

    /// <summary>A clean stop; what is wrong with it, null for nothing.</summary>
    public async Task<string?> StopAsync(CancellationToken cancellation)
    {
        if (_other.IsRunning)
        {
            _ = await _other.StopAsync(StopLimit, cancellation);
        }

        int? code = await _victim.StopAsync(StopLimit, cancellation);
        return code is 0
            ? null
            : $"SIGTERM ended it with {code?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "nothing, and it was killed"}";
    }

    /// <summary>
    /// Holds the load once there are so many records, and waits until the running victim has committed all of them; what is
    /// wrong, null for nothing.
    /// </summary>
    public async Task<string?> DrainAsync(long leastRecords, CancellationToken cancellation)
    {
        while ((_load.Sent < leastRecords || !_load.IsHeld) && !_load.IsDone)
        {
            if (_load.Sent >= leastRecords)
            {
                _load.Hold();
            }
            else
            {
                _load.GoOn();
            }

            await Task.Delay(20, cancellation);
        }

        if (_load.Failure is { } failure)
        {
            return $"the load: {failure}";
        }

        return await _offsets.DrainedAsync(DrainLimit, () => _victim.IsRunning, cancellation) ? null
            : _victim.IsRunning
                ? $"not drained within {DrainLimit.TotalSeconds:0} s: committed {string.Join('/', _offsets.Committed() ?? [])} of {string.Join('/', _offsets.Ends())}"
            : $"ended by itself with {_victim.ExitCode}";
    }

    /// <summary>The audit from outside.</summary>
    public Task<AuditReport> AuditAsync(CancellationToken cancellation) =>
        Task.Run(() => _topics.Audit(cancellation), cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _victim.Dispose();
        _other.Dispose();
        _load.Dispose();
        _offsets.Dispose();
        await _topics.DisposeAsync();
    }

    private void Prepare(string point)
    {
        if (_other.IsRunning)
        {
            _other.Kill();
        }

        if (IsRestore(point))
        {
            string state = PipelineState.DirectoryOf(_victim.StateDirectory, _topics.Input);
            if (System.IO.Directory.Exists(state))
            {
                System.IO.Directory.Delete(state, recursive: true);
            }
        }

        _load.OddEvery = point is CrashPoints.BeforeAbort or CrashPoints.AfterAbort ? OddEvery : 0;
    }

    private static bool IsRevoke(string point) =>
        point is CrashPoints.RevokeBegun or CrashPoints.RevokeCommitted;

    private static bool IsRestore(string point) =>
        point
            is CrashPoints.RestoreStarted
                or CrashPoints.RestoreApplied
                or CrashPoints.RestoreDone;

    /// <summary>Which passing: any of the first few, so that rounds are not all alike; few where a point is rare.</summary>
    private int Passing(string point) =>
        point switch
        {
            CrashPoints.AfterProduce => Between(1, 20_000),
            CrashPoints.BeforeAbort or CrashPoints.AfterAbort => Between(1, 6),
            CrashPoints.RevokeBegun or CrashPoints.RevokeCommitted => 1,
            CrashPoints.RestoreApplied => 1,
            CrashPoints.RestoreStarted or CrashPoints.RestoreDone => Between(1, 5),
            CrashPoints.AfterTombstones => Between(1, 4),
            _ when StoreCrashPoints.All.Contains(point) => Between(1, 3),
            _ => Between(1, 15),
        };

    /// <summary>From <paramref name="from"/> to below <paramref name="to"/>: the same sequence for the same seed.</summary>
    private int Between(int from, int to)
    {
        _random = SplitMix.Next(_random, out ulong number);
        return from + (int)(number % (ulong)(to - from));
    }
}
