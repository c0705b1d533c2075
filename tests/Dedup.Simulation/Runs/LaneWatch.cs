using Dedup.Kafka.Lanes;
using Dedup.Kafka.Tasks;
using Dedup.Simulation.Clients;
using Dedup.Topology.Proof;

namespace Dedup.Simulation.Runs;

/// <summary>Puts what a lane tells of itself into the trace. The checkers do not look at it.</summary>
internal sealed class LaneWatch(SimulatedRun simulation, ClientEnvironment env) : ILaneObserver
{
    public void LaneChanged(LaneState from, LaneState to, string why) =>
        Note($"{from} -> {to}: {why}");

    public void TaskChanged(int partition, TaskState from, TaskState to) =>
        Note($"task {partition} {from} -> {to}");

    public void Committed(int records, long openMs, long commitMs)
    {
        simulation.Commits++;
        Note($"committed {records} records");
    }

    public void Trouble(string what) => Note(what);

    public void Restoring(int partition, long position, long target, long ids) =>
        Note($"restoring {partition}: {position} of {target}");

    public void Throttled(int partition, string tenant, long waitMs) =>
        Note($"{partition} waits {waitMs} ms for {tenant}");

    private void Note(string what)
    {
        if (env.World.Trace.On)
        {
            simulation.Note(env.Actor.Name, what);
        }
    }
}

/// <summary>A named point of the product is a door like a port call: the process may die or stop there.</summary>
internal sealed class CrashPointDoor(ClientEnvironment env) : ICrashPoints
{
    public bool WantsRecords => false;

    public void Reached(string point) => env.Leave();
}
