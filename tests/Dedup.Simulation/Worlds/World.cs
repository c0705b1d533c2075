using Dedup.Simulation.Chance;

namespace Dedup.Simulation.Worlds;

/// <summary>
/// Time and order. One thread; a port call of one lane may run the rest of the world on before it returns (nesting), so
/// that anything can happen between any two port calls without a second thread.
/// </summary>
public sealed class World
{
    /// <summary>Deepest nesting of steps: a stack of four lanes in the middle of a call shows every race of two or three.</summary>
    public const int MaxDepth = 4;

    private readonly PriorityQueue<Action, (long AtMs, long Order)> _timers = new();
    private readonly List<Actor> _actors = [];
    private readonly Rng _schedule;
    private long _order;
    private int _depth;

    /// <summary>Makes a world.</summary>
    public World(ulong seed, TextWriter? lines = null)
    {
        _schedule = Rng.For(seed, 0x5C4ED);
        Trace = new Trace(lines);
    }

    /// <summary>Ms since the world began; never goes back.</summary>
    public long NowMs { get; private set; }

    /// <summary>What happened.</summary>
    public Trace Trace { get; }

    /// <summary>Steps made.</summary>
    public long Steps { get; private set; }

    /// <summary>How often a port call lets others run: once in so many calls.</summary>
    public int InterleaveOneIn { get; set; } = 20;

    /// <summary>
    /// Whether port calls let others step inside them. Not in the quiet phase: a lane that waits for 5 ms may find the step of
    /// another above it on the stack that takes seconds, which no fair scheduler would do to it.
    /// </summary>
    public bool IsNesting { get; set; } = true;

    /// <summary>All that step.</summary>
    public IReadOnlyList<Actor> Actors => _actors;

    /// <summary>Called for what a lane throws besides its own death.</summary>
    public Action<Actor, Exception>? OnException { get; set; }

    /// <summary>Adds something that steps.</summary>
    public void Add(Actor actor) => _actors.Add(actor);

    /// <summary>Forgets one that is dead.</summary>
    public void Remove(Actor actor) => _actors.Remove(actor);

    /// <summary>Runs an action at a time.</summary>
    public void At(long atMs, Action action) =>
        _timers.Enqueue(action, (Math.Max(atMs, NowMs), _order++));

    /// <summary>Runs an action after some ms.</summary>
    public void After(long ms, Action action) => At(NowMs + ms, action);

    /// <summary>Runs the world up to a time, or until nothing can happen any more or the condition holds.</summary>
    public void RunUntil(long untilMs, Func<bool>? done = null, long maxSteps = long.MaxValue)
    {
        while (NowMs < untilMs && maxSteps-- > 0 && !(done?.Invoke() ?? false))
        {
            Turn(untilMs, steps: true);
        }
    }

    /// <summary>Inside a port call: time passes. Everybody else goes on meanwhile.</summary>
    public void Wait(Actor self, long ms)
    {
        long untilMs = NowMs + ms;
        bool steps = IsNesting && _depth < MaxDepth;
        _depth++;
        try
        {
            while (NowMs < untilMs && self.IsAlive)
            {
                Turn(untilMs, steps);
            }
        }
        finally
        {
            _depth--;
        }

        self.ThrowIfDead();
    }

    /// <summary>Inside a port call: others may get a turn first.</summary>
    public void Interleave(Actor self)
    {
        self.ThrowIfDead();
        if (!IsNesting || _depth >= MaxDepth || !_schedule.OneIn(InterleaveOneIn))
        {
            return;
        }

        _depth++;
        try
        {
            for (int n = _schedule.Between(1, 4); n > 0 && self.IsAlive; n--)
            {
                Turn(NowMs + 2, steps: true);
            }
        }
        finally
        {
            _depth--;
        }

        self.ThrowIfDead();
    }

    /// <summary>One thing happens: a timer that is due, a step of a lane that is ready, or time goes on.</summary>
    private void Turn(long untilMs, bool steps)
    {
        if (
            _timers.TryPeek(out Action? due, out (long AtMs, long Order) when)
            && when.AtMs <= NowMs
        )
        {
            _timers.Dequeue();
            due();
            return;
        }

        if (steps && TryPick(out Actor actor))
        {
            StepOne(actor);
            return;
        }

        long nextMs = untilMs;
        if (_timers.TryPeek(out _, out when))
        {
            nextMs = Math.Min(nextMs, when.AtMs);
        }

        if (steps)
        {
            foreach (Actor sleeper in _actors)
            {
                if (sleeper.IsAlive && !sleeper.IsDone && !sleeper.IsBusy)
                {
                    nextMs = Math.Min(
                        nextMs,
                        Math.Max(sleeper.SleepUntilMs, sleeper.Process.FrozenUntilMs)
                    );
                }
            }
        }

        NowMs = Math.Max(NowMs + 1, nextMs);
    }

    private bool TryPick(out Actor actor)
    {
        int n = _actors.Count;
        int first = _schedule.Below(n);
        for (int i = 0; i < n; i++)
        {
            actor = _actors[(first + i) % n];
            if (actor.IsReady(NowMs))
            {
                return true;
            }
        }

        actor = null!;
        return false;
    }

    private void StepOne(Actor actor)
    {
        actor.IsBusy = true;
        Steps++;
        Trace.Mix(Point.Step, actor.Id, NowMs);
        try
        {
            actor.Body!();
        }
        catch (CrashException) when (!actor.IsAlive)
        {
            // Its process died inside the step; whoever killed it has seen to the rest.
        }
        catch (Exception e) when (OnException is not null)
        {
            OnException(actor, e);
        }
        finally
        {
            actor.IsBusy = false;
        }

        // A step takes time, so that a lane that spins cannot stop the clock.
        NowMs += _schedule.OneIn(4) ? 1 : 0;
    }
}
