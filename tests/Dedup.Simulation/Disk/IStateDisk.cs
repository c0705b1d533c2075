using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Clients;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Disk;

/// <summary>The state directory of an instance: it stays when the process dies, and is gone when the machine is.</summary>
public interface IStateDisk : IDisposable
{
    /// <summary>The stores in it, as a lane opens them.</summary>
    IStoreFactory Stores(ClientEnvironment env, int capacity, Rng chance);

    /// <summary>kill -9: what is written stays, what is open is gone with its locks.</summary>
    void OnDeath();

    /// <summary>Another machine: nothing is left.</summary>
    void Lose();

    /// <summary>What is there becomes the state of another pipeline.</summary>
    void MakeForeign();

    /// <summary>What an outsider finds in it. Nothing is open.</summary>
    IEnumerable<IStoreEvidence> Evidence();
}

/// <summary>What an outsider finds in a store that nobody has open.</summary>
public interface IStoreEvidence
{
    /// <summary>Partition.</summary>
    int Partition { get; }

    /// <summary>Its header; null when it has none.</summary>
    StoreHeader? Header { get; }

    /// <summary>Whether an entry of the ID that is at least as late lies in the store.</summary>
    bool Holds(BucketId bucket, EventKey key, SeenEntry entry);

    /// <summary>
    /// The entries in the store; where it can only be asked for IDs, those of the IDs and times that were ever sent to the
    /// changelog, committed or not.
    /// </summary>
    IEnumerable<(EventKey Key, SeenEntry Entry)> Entries(
        IReadOnlyList<(EventKey Key, SeenEntry Entry)> sent
    );
}
