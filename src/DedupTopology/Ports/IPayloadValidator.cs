using Dedup.Contracts.Identity;
using Dedup.Topology.Records;

namespace Dedup.Topology.Ports;

/// <summary>
/// Says whether a payload is what it claims to be. Asked once for each record that has an ID, only where a pipeline validates;
/// used by all lanes of the pipeline at once.
/// </summary>
public interface IPayloadValidator
{
    /// <summary>
    /// Checks a record's value. <see cref="Reason.None"/> when it is fine or has nothing to be checked,
    /// <see cref="Reason.SchemaInvalid"/> when it is not (also when it is no JSON at all: a reader from outside, who knows no
    /// schemas, could not confirm another reason), <see cref="Reason.SchemaUnavailable"/> when it cannot be told now. Never
    /// throws, and waits no longer than its own bound, which holds over all records together.
    /// </summary>
    Reason Check(in RecordView record);
}
