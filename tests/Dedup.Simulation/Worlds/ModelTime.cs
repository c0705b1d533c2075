namespace Dedup.Simulation.Worlds;

/// <summary>The clocks of a process: the monotonic one runs with the world, the wall clock may jump.</summary>
public sealed class ModelTime : TimeProvider
{
    /// <summary>The world begins at 2025-01-01 00:00 UTC.</summary>
    public const long EpochMs = 1_735_689_600_000;

    private readonly World _world;
    private readonly ModelProcess _process;

    internal ModelTime(World world, ModelProcess process)
    {
        _world = world;
        _process = process;
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => 1000;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => _world.NowMs;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() =>
        DateTimeOffset.FromUnixTimeMilliseconds(EpochMs + _world.NowMs + _process.WallOffsetMs);

    /// <summary>A lane steps and has no timers: one that makes some would escape the simulation.</summary>
    public override ITimer CreateTimer(
        TimerCallback callback,
        object? state,
        TimeSpan dueTime,
        TimeSpan period
    ) => throw new NotSupportedException("Lane code must not use timers: it steps.");
}
