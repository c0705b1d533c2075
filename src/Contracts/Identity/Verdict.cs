namespace Dedup.Contracts.Identity;

/// <summary>What the judge says of a record. See docs/policies.md.</summary>
public enum Verdict : byte
{
    /// <summary>The ID was not seen in its window.</summary>
    First = 0,

    /// <summary>The ID was seen within the window.</summary>
    Duplicate = 1,

    /// <summary>The ID was seen within the window, but with another fingerprint.</summary>
    Conflict = 2,

    /// <summary>Unknown ID, older than the clock minus grace: state can no longer tell.</summary>
    Late = 3,

    /// <summary>It cannot be judged; a <see cref="Reason"/> says why.</summary>
    Invalid = 4,

    /// <summary>It was not judged: the pipeline's mode is off.</summary>
    Unjudged = 5,
}

/// <summary>The names of verdicts in headers, counts, and metrics.</summary>
public static class VerdictText
{
    private static readonly string[] Names =
    [
        "first",
        "duplicate",
        "conflict",
        "late",
        "invalid",
        "unjudged",
    ];

    /// <summary>How many verdicts there are.</summary>
    public static int Count => Names.Length;

    /// <summary>The name of a verdict, in lower case.</summary>
    public static string Of(Verdict verdict) => Names[(int)verdict];
}

/// <summary>Why a record went to quarantine. The list is closed; <see cref="ReasonText"/> names each as users see it.</summary>
public enum Reason : byte
{
    /// <summary>Not quarantined.</summary>
    None = 0,

    /// <summary>No source of the recipe gave an ID.</summary>
    NoId = 1,

    /// <summary>The recipe is the record key, and the key is null.</summary>
    NullKey = 2,

    /// <summary>The payload had to be JSON and is not.</summary>
    MalformedJson = 3,

    /// <summary>JSON nested deeper than the limit.</summary>
    JsonTooDeep = 4,

    /// <summary>JSON larger than the limit.</summary>
    JsonTooLarge = 5,

    /// <summary>Timestamp missing, zero, or negative.</summary>
    TimestampMissing = 6,

    /// <summary>Timestamp beyond wall clock + max-future.</summary>
    TimestampTooFarInFuture = 7,

    /// <summary>The broker or client refuses the record for its size.</summary>
    RefusedTooLarge = 8,

    /// <summary>The broker refuses the record for its timestamp.</summary>
    RefusedTimestamp = 9,

    /// <summary>The broker refuses the record for another lasting reason.</summary>
    Refused = 10,

    /// <summary>Late, and the pipeline quarantines late records.</summary>
    Late = 11,

    /// <summary>Same ID, other content, and the pipeline quarantines conflicts.</summary>
    Conflict = 12,

    /// <summary>A path of the content recipe is missing and on-missing is quarantine.</summary>
    ContentPathMissing = 13,

    /// <summary>The payload does not fit its JSON Schema.</summary>
    SchemaInvalid = 14,

    /// <summary>The schema registry could not be asked and the pipeline fails closed.</summary>
    SchemaUnavailable = 15,

    /// <summary>The tenant holds more IDs or sends faster than its quota.</summary>
    OverQuota = 16,

    /// <summary>A part of the scope (tenant, service, type) is missing.</summary>
    ScopeMissing = 17,

    /// <summary>The ID is longer than the limit.</summary>
    IdTooLong = 18,

    /// <summary>Somebody else than Dedup wrote it to the repartition topic: it has no original to judge.</summary>
    NotRekeyed = 19,
}

/// <summary>The names of reasons in headers, logs, and metrics.</summary>
public static class ReasonText
{
    private static readonly string[] Names =
    [
        "none",
        "no-id",
        "null-key",
        "malformed-json",
        "json-too-deep",
        "json-too-large",
        "timestamp-missing",
        "timestamp-too-far-in-future",
        "refused-too-large",
        "refused-timestamp",
        "refused",
        "late",
        "conflict",
        "content-path-missing",
        "schema-invalid",
        "schema-unavailable",
        "over-quota",
        "scope-missing",
        "id-too-long",
        "not-rekeyed",
    ];

    /// <summary>
    /// What the detail header says in place of <see cref="DetailOf"/> where quarantine refuses the record too: key, value, and
    /// own headers are left out.
    /// </summary>
    public const string WithoutPayload = "payload left out: the quarantine topic refuses it too";

    /// <summary>How many reasons there are, <see cref="Reason.None"/> included.</summary>
    public static int Count => Names.Length;

    /// <summary>The name of a reason, lowercase with hyphens.</summary>
    public static string Of(Reason reason) => Names[(int)reason];

    /// <summary>
    /// What a quarantined record's detail header says, one sentence without its end; empty where the name says it all.
    /// </summary>
    public static string DetailOf(Reason reason) =>
        reason switch
        {
            Reason.NoId => "no source of the recipe gives an ID",
            Reason.NullKey => "the record key is the ID, and it is null",
            Reason.MalformedJson => "the payload is not JSON",
            Reason.JsonTooDeep => "the payload is nested deeper than json.max-depth",
            Reason.JsonTooLarge => "the ID was not found within json.max-bytes of the payload",
            Reason.TimestampMissing =>
                "the time is missing, not positive, or cannot be read: the record's timestamp, or the value that 'time' names",
            Reason.TimestampTooFarInFuture =>
                "the time is further ahead of the clock than max-future: it would expire what is remembered",
            Reason.RefusedTooLarge => "the topic that it belongs on refuses it for its size",
            Reason.RefusedTimestamp => "the topic that it belongs on refuses it for its timestamp",
            Reason.Refused => "the topic that it belongs on refuses it",
            Reason.Late =>
                "older than the clock less grace, with an ID that is not remembered: it may be a first or not",
            Reason.Conflict =>
                "the same ID as the first occurrence that the headers name, with other content",
            Reason.ContentPathMissing => "a path that the content ID includes leads to nothing",
            Reason.SchemaInvalid => "the payload does not fit its schema",
            Reason.SchemaUnavailable => "the schema registry could not be asked",
            Reason.OverQuota => "the tenant is over its quota",
            Reason.ScopeMissing => "a part of the scope that is required is missing",
            Reason.IdTooLong => "the ID is longer than the limit",
            Reason.NotRekeyed =>
                "it lies on the repartition topic and was not written there by Dedup: it has no original to judge",
            _ => "",
        };
}
