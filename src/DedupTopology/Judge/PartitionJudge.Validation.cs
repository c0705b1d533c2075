using Dedup.Contracts.Identity;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Topology.Judge;

/// <content>Payloads that are validated: what becomes of those that are not what they claim, or cannot be checked.</content>
public sealed partial class PartitionJudge
{
    private bool[] _isUnchecked = [];

    /// <summary>Why a record is quarantined for its payload, else None.</summary>
    private Reason Validate(in RecordView record, int at, IPayloadValidator validator)
    {
        Reason reason = validator.Check(record);
        _isUnchecked[at] = reason == Reason.SchemaUnavailable && _spec.ForwardsUnchecked;
        return _isUnchecked[at] ? Reason.None : reason;
    }
}
