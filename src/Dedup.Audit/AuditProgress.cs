namespace Dedup.Audit;

/// <summary>What the audit is doing.</summary>
public enum AuditPhase : byte
{
    /// <summary>Waiting for the pipeline to catch up.</summary>
    Waiting,

    /// <summary>Reading topics.</summary>
    Reading,

    /// <summary>Comparing.</summary>
    Comparing,

    /// <summary>Reading the records of findings once more to show them.</summary>
    Picturing,

    /// <summary>Done.</summary>
    Done,
}

/// <summary>How far the audit is; reported a few times a second.</summary>
/// <param name="Phase">What it is doing.</param>
/// <param name="Done">Offsets read so far, or with Waiting: the lag in records.</param>
/// <param name="Total">Offsets to be read in all.</param>
/// <param name="Findings">Findings so far.</param>
public readonly record struct AuditProgress(AuditPhase Phase, long Done, long Total, long Findings);
