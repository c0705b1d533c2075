namespace Dedup.Simulation.Broker;

/// <summary>Error codes of the protocol, by the names that Kafka gives them.</summary>
public enum BrokerError : byte
{
    /// <summary>NONE.</summary>
    None,

    /// <summary>CONCURRENT_TRANSACTIONS (51): the transaction before is still being completed; ask again.</summary>
    ConcurrentTransactions,

    /// <summary>PRODUCER_FENCED (90), INVALID_PRODUCER_EPOCH (47): a newer epoch exists.</summary>
    ProducerFenced,

    /// <summary>INVALID_TXN_STATE (48).</summary>
    InvalidTxnState,

    /// <summary>UNKNOWN_MEMBER_ID (25).</summary>
    UnknownMember,

    /// <summary>ILLEGAL_GENERATION (22).</summary>
    IllegalGeneration,

    /// <summary>FENCED_INSTANCE_ID (82).</summary>
    FencedInstance,

    /// <summary>REBALANCE_IN_PROGRESS (27).</summary>
    RebalanceInProgress,

    /// <summary>COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS: ask again.</summary>
    CoordinatorUnavailable,

    /// <summary>NOT_LEADER_OR_FOLLOWER, LEADER_NOT_AVAILABLE: ask again.</summary>
    LeaderUnavailable,

    /// <summary>MESSAGE_TOO_LARGE (10).</summary>
    TooLarge,

    /// <summary>INVALID_TIMESTAMP (32).</summary>
    InvalidTimestamp,

    /// <summary>UNSTABLE_OFFSET_COMMIT (88): a pending transactional commit; ask again.</summary>
    UnstableOffset,

    /// <summary>OFFSET_OUT_OF_RANGE (1).</summary>
    OutOfRange,

    /// <summary>UNKNOWN_TOPIC_OR_PARTITION (3).</summary>
    UnknownPartition,

    /// <summary>OUT_OF_ORDER_SEQUENCE_NUMBER (45).</summary>
    OutOfOrderSequence,

    /// <summary>No answer came.</summary>
    TimedOut,
}
