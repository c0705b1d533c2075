using Dedup.Contracts.Identity;
using Dedup.Contracts.Rekey;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Topology.Judge;

/// <content>Payloads that are validated: what becomes of those that are not what they claim, or cannot be checked.</content>
public sealed partial class PartitionJudge
{
    private bool[] _isUnchecked = [];

    /// <summary>Why a record is quarantined for its payload, else None.</summary>
    /// <remarks>In the second hop of by-id the first has asked already; only what it refused to judge comes without an answer.</remarks>
    private Reason Validate(in RecordView record, int at, IPayloadValidator validator)
    {
        PayloadCheck check = _originals?.EnvelopeOf(record.Index).Check ?? PayloadCheck.None;
        Reason reason = check switch
        {
            PayloadCheck.Valid => Reason.None,
            PayloadCheck.Invalid => Reason.SchemaInvalid,
            PayloadCheck.Unavailable => Reason.SchemaUnavailable,
            _ => validator.Check(record),
        };
        _isUnchecked[at] = reason == Reason.SchemaUnavailable && _spec.ForwardsUnchecked;
        return _isUnchecked[at] ? Reason.None : reason;
    }
}
