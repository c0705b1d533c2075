using Dedup.Simulation.Chance;
using Dedup.Simulation.Worlds;

namespace Dedup.Simulation.Faults;

/// <summary>What can go wrong. Each seed draws which of them do, and how often (swarm testing, Groce and others 2012).</summary>
public enum FaultKind
{
    /// <summary>kill -9 of a process at the entry or exit of a port call.</summary>
    Crash,

    /// <summary>A process is stopped in the middle of a call and goes on later: a zombie.</summary>
    Freeze,

    /// <summary>The client's heartbeats do not get through for a while, everything else does.</summary>
    HeartbeatLoss,

    /// <summary>The EndTxn request is lost; the client gives up waiting.</summary>
    EndTxnLost,

    /// <summary>The EndTxn request arrives after the client has given up.</summary>
    EndTxnLate,

    /// <summary>EndTxn is done, its answer is lost, and the client gives up.</summary>
    EndTxnAnswerLost,

    /// <summary>EndTxn is done, its answer is lost, and the client sends it again.</summary>
    EndTxnRepeated,

    /// <summary>A produce request stays on the way when its client dies, and arrives later.</summary>
    ProduceLate,

    /// <summary>A call ends as retriable though nothing is wrong.</summary>
    Retriable,

    /// <summary>The transaction coordinator moves.</summary>
    TransactionCoordinatorMove,

    /// <summary>The group coordinator moves.</summary>
    GroupCoordinatorMove,

    /// <summary>A partition is without a leader.</summary>
    LeaderLoss,

    /// <summary>A rebalance out of the blue.</summary>
    Rebalance,

    /// <summary>A member joins or leaves on purpose.</summary>
    Scale,

    /// <summary>Another process comes up with the same instance id.</summary>
    StaticDuplicate,

    /// <summary>The producer's transaction ends as abortable for no reason of ours.</summary>
    Abortable,

    /// <summary>The producer is told that it was fenced, or is of no use any more.</summary>
    FatalProducer,

    /// <summary>A restarted process finds an empty disk.</summary>
    DiskLost,

    /// <summary>A store does not open any more: Corruption.</summary>
    DiskCorrupt,

    /// <summary>A store call fails for lack of room.</summary>
    DiskFull,

    /// <summary>A store is still locked when it is opened.</summary>
    DiskLocked,

    /// <summary>The wall clock of a process jumps.</summary>
    ClockJump,

    /// <summary>A transaction's markers take long to be written.</summary>
    SlowMarkers,

    /// <summary>Followers lag: the high watermark, too.</summary>
    SlowReplication,

    /// <summary>The cleaner runs over the changelog.</summary>
    Compaction,

    /// <summary>Input behind the committed offsets is deleted.</summary>
    Retention,

    /// <summary>A call of the fencer fails or finds out nothing.</summary>
    FencerFails,

    /// <summary>A look-up (committed offset, bounds) gives no answer yet.</summary>
    LookupPending,

    /// <summary>Fetches return little, or nothing though there is something.</summary>
    SlowFetch,

    /// <summary>The source reports that it lost its connection.</summary>
    TransientSourceFault,

    /// <summary>A block of a store turns out damaged when it is read.</summary>
    DiskBlockCorrupt,

    /// <summary>The client cannot seek.</summary>
    SeekFails,

    /// <summary>Number of kinds.</summary>
    Count,
}

/// <summary>
/// Decides at each opportunity whether a fault happens. Every fault that happens gets a number, so that a failing run can be
/// shrunk by leaving some out.
/// </summary>
public sealed class FaultPlan
{
    private readonly int[] _oneIn = new int[(int)FaultKind.Count];
    private readonly int[] _left = new int[(int)FaultKind.Count];
    private readonly Rng[] _chance = new Rng[(int)FaultKind.Count];
    private readonly World _world;

    /// <summary>A plan without faults.</summary>
    public FaultPlan(World world, ulong seed)
    {
        _world = world;
        Chance = Rng.For(seed, 0xFA017);
        for (int kind = 0; kind < _chance.Length; kind++)
        {
            _chance[kind] = Rng.For(seed, 0xFA0_0000UL + (ulong)kind);
        }
    }

    /// <summary>Randomness for the details of a fault.</summary>
    public Rng Chance { get; }

    /// <summary>No faults any more: the quiet phase.</summary>
    public bool IsQuiet { get; set; }

    /// <summary>Faults that happened.</summary>
    public int Fired { get; private set; }

    /// <summary>Faults with a lower number are left out.</summary>
    public int FirstFault { get; init; }

    /// <summary>Faults with this number or a higher one are left out.</summary>
    public int EndFault { get; init; } = int.MaxValue;

    /// <summary>How often each kind happened.</summary>
    public int[] Counts { get; } = new int[(int)FaultKind.Count];

    /// <summary>Switches a kind on: once in so many opportunities; 0 switches it off.</summary>
    public void Set(FaultKind kind, int oneIn)
    {
        _oneIn[(int)kind] = oneIn;
        Draw((int)kind);
    }

    /// <summary>How often a kind happens; 0 when off.</summary>
    public int OneIn(FaultKind kind) => _oneIn[(int)kind];

    /// <summary>Whether it happens now.</summary>
    public bool Happens(FaultKind kind)
    {
        int k = (int)kind;
        if (_oneIn[k] == 0 || IsQuiet || --_left[k] > 0)
        {
            return false;
        }

        Draw(k);
        int number = Fired++;
        if (number < FirstFault || number >= EndFault)
        {
            return false;
        }

        Counts[k]++;
        _world.Trace.Mix(Point.Fault, k, number);
        if (_world.Trace.On)
        {
            _world.Trace.Line(_world.NowMs, "FAULT", $"#{number} {kind}");
        }

        return true;
    }

    /// <summary>The gap to the next one is uniform around its mean: cheaper than a draw at each opportunity.</summary>
    private void Draw(int kind) =>
        _left[kind] = _oneIn[kind] == 0 ? 0 : _chance[kind].Between(1, (2 * _oneIn[kind]) - 1);
}
