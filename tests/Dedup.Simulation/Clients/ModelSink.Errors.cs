using Dedup.Contracts.Identity;
using Dedup.Simulation.Broker;
using Dedup.Topology.Ports;

namespace Dedup.Simulation.Clients;

/// <content>What the broker's errors are to the lane.</content>
public sealed partial class ModelSink
{
    private TxResult Map(BrokerError error)
    {
        _isOutOfSequence |= error == BrokerError.OutOfOrderSequence;
        return ResultOf(error);
    }

    private static TxResult ResultOf(BrokerError error) =>
        error switch
        {
            BrokerError.ProducerFenced => new TxResult(
                TxOutcome.Fenced,
                Detail: "a newer producer exists"
            ),
            BrokerError.InvalidTxnState => new TxResult(
                TxOutcome.Fatal,
                Detail: "INVALID_TXN_STATE"
            ),
            BrokerError.TooLarge => new TxResult(
                TxOutcome.Refused,
                Reason.RefusedTooLarge,
                "MSG_SIZE_TOO_LARGE"
            ),
            BrokerError.InvalidTimestamp => new TxResult(
                TxOutcome.Refused,
                Reason.RefusedTimestamp,
                "INVALID_TIMESTAMP"
            ),
            BrokerError.UnknownPartition => new TxResult(
                TxOutcome.Misconfigured,
                Detail: "UNKNOWN_TOPIC_OR_PART"
            ),
            _ => new TxResult(TxOutcome.Abortable, Detail: $"{error}"),
        };
}
