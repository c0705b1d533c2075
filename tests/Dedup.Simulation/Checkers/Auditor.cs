using Dedup.Simulation.Broker;
using Dedup.Simulation.Disk;
using Dedup.Simulation.Runs;

namespace Dedup.Simulation.Checkers;

/// <summary>Reads what an outsider can read, and compares it with the invariants.</summary>
public sealed class Auditor
{
    private readonly SimulatedRun _simulation;

    /// <summary>Makes the auditor of a run.</summary>
    public Auditor(SimulatedRun simulation) => _simulation = simulation;

    private ModelCluster Cluster => _simulation.Cluster;

    private ModelTopic Input => Cluster.Topic(_simulation.Scenario.Spec.Input);

    /// <summary>I5 for what a process leaves on disk.</summary>
    public void CheckDisk(IStateDisk disk, string when)
    {
        try
        {
            foreach (IStoreEvidence store in disk.Evidence())
            {
                new StoreChecker(_simulation, store.Partition).Check(store, when);
            }
        }
        catch (ViolationException e)
        {
            _simulation.Break(e.Violation);
        }
    }

    /// <summary>All invariants, once everything has come to rest.</summary>
    public void CheckAll()
    {
        try
        {
            if (_simulation.Scenario.IsById)
            {
                new ByIdChecker(_simulation).Check();
                return;
            }

            for (int partition = 0; partition < Input.Logs.Count; partition++)
            {
                new PartitionChecker(_simulation, partition).Check();
                new StoreChecker(_simulation, partition).CheckCompacted();
            }
        }
        catch (ViolationException e)
        {
            _simulation.Break(e.Violation);
        }
    }

    /// <summary>What `dedup verify` says of the topics; only of a run that the checkers found sound.</summary>
    public void CheckFromOutside()
    {
        try
        {
            OutsideAudit.Check(_simulation);
        }
        catch (ViolationException e)
        {
            _simulation.Break(e.Violation);
        }
    }
}
