namespace Dedup.Topology.Ports;

/// <summary>Deletes what nobody needs any more from the log that a lane reads: the repartition topic, whose retention is unlimited.</summary>
public interface ILogPurger
{
    /// <summary>
    /// Asks the broker to delete the records of a partition before that offset, which has to be committed. Does not wait; what
    /// goes wrong is said and tried again at the next purge, since more is deleted then.
    /// </summary>
    void Purge(int partition, long beforeOffset);
}
