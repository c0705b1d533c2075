using Dedup.Simulation.Broker;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <summary>DeleteRecords on the model: at once, never beyond the last stable offset.</summary>
internal sealed class ModelPurger(ModelTopic topic) : ILogPurger
{
    /// <inheritdoc/>
    public void Purge(int partition, long beforeOffset)
    {
        ModelLog log = topic.Logs[partition];
        log.DeleteBefore(Math.Min(beforeOffset, log.LastStableOffset));
    }
}
