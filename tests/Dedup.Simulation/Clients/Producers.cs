using Dedup.Simulation.Broker;

namespace Dedup.Simulation.Clients;

/// <summary>What the sink's producer and the fencer's short-lived one do alike.</summary>
internal static class Producers
{
    /// <summary>init_transactions(): asks again while the coordinator completes what was pending, until the time is up.</summary>
    public static BrokerError Initialise(
        ClientEnvironment env,
        string transactionalId,
        int transactionTimeoutMs,
        int timeoutMs,
        out long producerId,
        out short epoch
    )
    {
        long deadlineMs = env.World.NowMs + timeoutMs;
        while (true)
        {
            BrokerError error = env.Cluster.Transactions.InitProducerId(
                transactionalId,
                transactionTimeoutMs,
                out producerId,
                out epoch
            );
            if (error == BrokerError.None || env.World.NowMs >= deadlineMs)
            {
                return error;
            }

            env.World.Wait(env.Actor, 5);
        }
    }
}
