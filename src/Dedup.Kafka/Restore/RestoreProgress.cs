using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Restore;

/// <summary>How far a restore has come.</summary>
internal enum RestoreStage : byte
{
    /// <summary>The store is being opened (it may still be locked by a task that is closing).</summary>
    Opening,

    /// <summary>The changelog is being read; committed offset and high watermark are asked for, in that order.</summary>
    Reading,

    /// <summary>State and offsets agree; a pending transaction of the previous owner on the clean topic is looked for.</summary>
    Releasing,

    /// <summary>The lane may write its claim, a marker of its own, and then begin.</summary>
    Claiming,
}

/// <summary>State of one restore.</summary>
internal sealed class RestoreProgress
{
    /// <summary>A lane looks at its tasks many times a second; longer pauses are not its own.</summary>
    private const long MostBetweenLooksMs = 1_000;

    private long? _lockedAtMs;
    private long _lockedMs;

    public RestoreStage Stage { get; set; }

    /// <summary>Last marker read, or that of the store's header.</summary>
    public Marker? Marker { get; set; }

    /// <summary>The group's committed offset of this round; null until it is known.</summary>
    public OffsetLookup? Committed { get; set; }

    /// <summary>High watermark of this round, asked for after <see cref="Committed"/>; null until it is known.</summary>
    public long? Target { get; set; }

    /// <summary>Rounds in which offset and marker did not agree.</summary>
    public int Rounds { get; set; }

    /// <summary>Since when nothing went forward, in ms of the monotonic clock; null while it goes.</summary>
    public long? StuckSinceMs { get; set; }

    /// <summary>transactional.id that was fenced last for this take-over, so that the same one is not fenced twice in a row.</summary>
    public string? Fenced { get; set; }

    /// <summary>Changelog position at the last progress.</summary>
    public long LastPosition { get; set; } = -1;

    /// <summary>IDs applied.</summary>
    public long Ids { get; set; }

    /// <summary>When this restore began or last said what it waits for, in ms of the monotonic clock.</summary>
    public long? SaidAtMs { get; set; }

    /// <summary>What it waits for, for the log; null while it goes forward.</summary>
    public string? WaitsFor { get; set; }

    /// <summary>Whether the changelog is open at the reader.</summary>
    public bool IsReading { get; set; }

    /// <summary>
    /// The store is locked. Who holds the lock is closing it, which takes a while; one that holds it for ever is a defect, and
    /// waiting would hide it. A process that was stopped for a time is not blamed for that time.
    /// </summary>
    /// <param name="detail">What the store says of the lock.</param>
    /// <param name="nowMs">The monotonic clock.</param>
    /// <param name="patienceMs">How long that may go on.</param>
    /// <exception cref="StoreFailedException">It has gone on for longer.</exception>
    public void WaitForLock(string? detail, long nowMs, long patienceMs)
    {
        _lockedMs += Math.Min(nowMs - (_lockedAtMs ?? nowMs), MostBetweenLooksMs);
        _lockedAtMs = nowMs;
        WaitsFor = $"the store's lock ({detail})";
        if (_lockedMs > patienceMs)
        {
            throw new StoreFailedException(
                $"A store has been locked for {_lockedMs / 1000} s by a task that should have closed it: {detail}; restart this process"
            );
        }
    }
}
