namespace Dedup.Simulation.Worlds;

/// <summary>A process of the operating system: lanes that die together, freeze together, and share a clock and a disk.</summary>
public sealed class ModelProcess
{
    /// <summary>Makes a running process.</summary>
    public ModelProcess(World world, string name)
    {
        World = world;
        Name = name;
        Time = new ModelTime(world, this);
    }

    /// <summary>The world it lives in.</summary>
    public World World { get; }

    /// <summary>Name in traces.</summary>
    public string Name { get; }

    /// <summary>Its clocks.</summary>
    public ModelTime Time { get; }

    /// <summary>Whether it runs; a dead one never runs again (a restart is another process).</summary>
    public bool IsAlive { get; private set; } = true;

    /// <summary>Until when it is stopped as by SIGSTOP: no step, no heartbeat.</summary>
    public long FrozenUntilMs { get; set; }

    /// <summary>Difference of its wall clock to the true one, in ms.</summary>
    public long WallOffsetMs { get; set; }

    /// <summary>Whether its threads run now.</summary>
    public bool IsRunning => IsAlive && World.NowMs >= FrozenUntilMs;

    /// <summary>kill -9.</summary>
    public void Kill() => IsAlive = false;
}

/// <summary>A lane as the scheduler sees it: something that steps.</summary>
public sealed class Actor
{
    private bool _dropped;

    /// <summary>Makes an actor of a process.</summary>
    public Actor(ModelProcess process, string name, int id)
    {
        Process = process;
        Name = name;
        Id = id;
    }

    /// <summary>Number in the trace's hash.</summary>
    public int Id { get; }

    /// <summary>The process that it lives and dies with.</summary>
    public ModelProcess Process { get; }

    /// <summary>Name in traces.</summary>
    public string Name { get; }

    /// <summary>What a step does.</summary>
    public Action? Body { get; set; }

    /// <summary>Whether there is something to do before the time named by <see cref="SleepUntilMs"/>.</summary>
    public Func<bool>? HasWork { get; set; }

    /// <summary>Whether a step is under way further up the stack.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Whether it ended by itself (stopped or failed).</summary>
    public bool IsDone { get; set; }

    /// <summary>Not stepped before this time unless there is work.</summary>
    public long SleepUntilMs { get; set; }

    /// <summary>Whether it can still act.</summary>
    public bool IsAlive => !_dropped && Process.IsAlive;

    /// <summary>The lane dies alone, as by an exception that nobody caught.</summary>
    public void Drop() => _dropped = true;

    /// <summary>Whether the scheduler may step it now.</summary>
    public bool IsReady(long nowMs) =>
        IsAlive
        && !IsDone
        && !IsBusy
        && nowMs >= Process.FrozenUntilMs
        && (nowMs >= SleepUntilMs || (HasWork?.Invoke() ?? false));

    /// <summary>Throws when it is dead. Stands at the entry and exit of every port call.</summary>
    public void ThrowIfDead()
    {
        if (!IsAlive)
        {
            throw new CrashException(Name);
        }
    }
}
