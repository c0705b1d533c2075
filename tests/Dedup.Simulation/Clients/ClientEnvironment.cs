using Dedup.Simulation.Broker;
using Dedup.Simulation.Faults;
using Dedup.Simulation.Worlds;

namespace Dedup.Simulation.Clients;

/// <summary>What all ports of one lane share: whose they are, where they reach to, and what can go wrong at their doors.</summary>
public sealed class ClientEnvironment
{
    /// <summary>Makes the surroundings of a lane's ports.</summary>
    public ClientEnvironment(ModelCluster cluster, Actor actor, FaultPlan faults)
    {
        Cluster = cluster;
        Actor = actor;
        Faults = faults;
    }

    /// <summary>The cluster.</summary>
    public ModelCluster Cluster { get; }

    /// <summary>The lane.</summary>
    public Actor Actor { get; }

    /// <summary>What goes wrong.</summary>
    public FaultPlan Faults { get; }

    /// <summary>The world.</summary>
    public World World => Cluster.World;

    /// <summary>How a process dies; set by the simulation, which sees to its restart.</summary>
    public Action<ModelProcess>? OnCrash { get; set; }

    /// <summary>
    /// The door of every port call, inwards: notes it, lets others go first, and now and then kills or stops the process.
    /// Calls made for every record are hot: there the doors count only now and then, or they would draw all the faults.
    /// </summary>
    public void Enter(Point point, long a = 0, long b = 0, bool hot = false)
    {
        Actor.ThrowIfDead();
        World.Trace.Mix(point, Actor.Id, a, b);
        if (World.Trace.On && !hot)
        {
            World.Trace.Line(World.NowMs, Actor.Name, $"{point} {a} {b}");
        }

        if (!hot || (World.Trace.Count & 15) == 0)
        {
            Threaten();
            World.Interleave(Actor);
        }
    }

    /// <summary>The door outwards: the work is done, but the lane may never hear of it.</summary>
    public void Leave()
    {
        Threaten();
        Actor.ThrowIfDead();
    }

    /// <summary>Kills the process of the lane.</summary>
    public void Crash()
    {
        if (OnCrash is { } crash)
        {
            crash(Actor.Process);
        }
        else
        {
            Actor.Process.Kill();
        }

        Actor.ThrowIfDead();
    }

    /// <summary>Waits for something out of reach, at most until the time is up; false when it was not enough.</summary>
    public bool WaitFor(long untilMs, long deadlineMs)
    {
        if (World.NowMs < untilMs)
        {
            World.Wait(Actor, Math.Min(untilMs, deadlineMs) - World.NowMs);
        }

        return World.NowMs >= untilMs;
    }

    private void Threaten()
    {
        if (Faults.Happens(FaultKind.Crash))
        {
            Crash();
        }

        if (Faults.Happens(FaultKind.Freeze))
        {
            long forMs = Faults.Chance.OneIn(3)
                ? Faults.Chance.Between(10, 3000)
                : Faults.Chance.Between(3000, 40_000);
            Actor.Process.FrozenUntilMs = Math.Max(
                Actor.Process.FrozenUntilMs,
                World.NowMs + forMs
            );
        }

        // Whoever froze the process, a call of one of its threads does not return before it goes on.
        while (World.NowMs < Actor.Process.FrozenUntilMs)
        {
            World.Wait(Actor, Actor.Process.FrozenUntilMs - World.NowMs);
        }
    }
}
