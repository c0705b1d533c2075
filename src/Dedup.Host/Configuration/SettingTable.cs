using System.Collections.Immutable;
using Dedup.Topology.Identify.Json;
using Dedup.Topology.Windows;

namespace Dedup.Host.Configuration;

/// <summary>
/// Every setting there is: the only list of names, defaults, and ranges. The reader reads by it, and a test holds
/// docs/configuration.md to it.
/// </summary>
public static class SettingTable
{
    /// <summary>Default of a setting that has to be given.</summary>
    public const string Required = "required";

    /// <summary>Most pipelines in one process: each has its own consumers, and a process is meant for a handful.</summary>
    public const int MaxPipelines = 64;

    /// <summary>Top-level settings.</summary>
    public static ImmutableArray<Setting> Process { get; } =
    [
        new()
        {
            Path = "kafka",
            Kind = SettingKind.Section,
            Default = Required,
            RangeText = "any librdkafka property but those that carry the guarantee",
            Meaning =
                "How to reach the cluster: `bootstrap.servers`, `security.protocol`, `sasl.*`, `ssl.*`, and every other property of librdkafka, for consumers, producers, and admin client alike.",
            Consequence =
                "Properties that Dedup's guarantee rests on are refused, with the reason.",
        },
        new()
        {
            Path = "kafka.bootstrap.servers",
            Kind = SettingKind.Text,
            Default = Required,
            RangeText = "host:port, several with commas",
            Meaning = "Brokers to ask first.",
            Consequence = "Give several: one that is down at the start is then no obstacle.",
        },
        new()
        {
            Path = "state",
            Kind = SettingKind.Section,
            Default = "all defaults",
            RangeText = "directory, memory",
            Meaning = "What is kept on this machine.",
            Consequence = "Losing it costs time, never data: the changelog topic rebuilds it.",
        },
        new()
        {
            Path = "state.directory",
            Kind = SettingKind.Text,
            Default = "$XDG_STATE_HOME/dedup, else ~/.local/state/dedup",
            RangeText = "a directory that can be written to; relative to the file that names it",
            Meaning = "Where stores, instance id, and lock file live. One process per directory.",
            Consequence =
                "On a disk that survives a restart, only the tail of the changelog is replayed; elsewhere all of it.",
        },
        new()
        {
            Path = "state.memory",
            Kind = SettingKind.Size,
            Default = "512MiB",
            Min = 64L << 20,
            Max = 1L << 40,
            Meaning =
                "Bound over filters, recent tables, block cache, and prefetch of all pipelines together.",
            Consequence =
                "Too little for the filters (about 1.5 bytes for each live ID) means that more look-ups go to disk.",
        },
        new()
        {
            Path = "lanes",
            Kind = SettingKind.Count,
            Default = "one for each core",
            Min = 1,
            Max = 256,
            Meaning =
                "Threads for each pipeline; each owns a consumer and a transactional producer.",
            Consequence = "More lanes than input partitions stay idle.",
        },
        new()
        {
            Path = "commit",
            Kind = SettingKind.Section,
            Default = "all defaults",
            RangeText = "interval, max-records, max-bytes",
            Meaning =
                "When a transaction ends: at whichever bound is reached first, and at once when the input is drained.",
            Consequence =
                "Readers with isolation.level=read_committed see records when their transaction ends.",
        },
        new()
        {
            Path = "commit.interval",
            Kind = SettingKind.Duration,
            Default = "100ms",
            Min = 1,
            Max = 30_000,
            Meaning = "Longest time that a transaction stays open.",
            Consequence =
                "Shorter: less latency under load, more commits (17–30 ms each). Longer: fewer commits, more to do again after a crash.",
        },
        new()
        {
            Path = "commit.max-records",
            Kind = SettingKind.Count,
            Default = "32_768",
            Min = 1,
            Max = 10_000_000,
            Meaning = "Most records in a transaction.",
            Consequence = "Bounds what a crash repeats and the memory of the open transaction.",
        },
        new()
        {
            Path = "commit.max-bytes",
            Kind = SettingKind.Size,
            Default = "64MiB",
            Min = 64L << 10,
            Max = 1L << 30,
            Meaning = "Most bytes in a transaction.",
            Consequence = "Bounds the send buffer; large records end a transaction early.",
        },
        new()
        {
            Path = "membership",
            Kind = SettingKind.Choice,
            Default = "static",
            Choices = ["static", "dynamic"],
            Meaning = "How lanes belong to their consumer group.",
            Consequence =
                "static: a restart within the session time-out (10 s) moves no partitions, and a scale-in takes effect after it. dynamic: every start and stop moves partitions at once.",
        },
        new()
        {
            Path = "pipelines",
            Kind = SettingKind.Section,
            Default = Required,
            RangeText = "1 to 64, named with letters, digits, '.', '_', '-' (at most 100)",
            Meaning =
                "The pipelines of this process. The name is part of group (`dedup-NAME`), changelog (`dedup-NAME-changelog`), and transactional ids.",
            Consequence =
                "A pipeline under a new name begins anew, without what the old one remembers.",
        },
    ];

    /// <summary>Settings of a pipeline.</summary>
    public static ImmutableArray<Setting> Pipeline { get; } =
    [
        new()
        {
            Path = "pipelines.*.input",
            Kind = SettingKind.Text,
            Default = Required,
            RangeText = "name of a topic",
            Meaning = "The topic that producers write to.",
            Consequence = "It must exist. Only committed records are read.",
        },
        new()
        {
            Path = "pipelines.*.clean",
            Kind = SettingKind.Text,
            Default = Required,
            RangeText = "name of a topic",
            Meaning = "The topic that gets the first occurrence of every event, unchanged.",
            Consequence =
                "Its consumers must read with isolation.level=read_committed. As many partitions as the input.",
        },
        new()
        {
            Path = "pipelines.*.quarantine",
            Kind = SettingKind.Text,
            Default = "the input's name + `.quarantine`",
            RangeText = "name of a topic",
            Meaning =
                "The topic that gets records that cannot be judged, with headers that say why.",
            Consequence =
                "It must exist: a record is never silently dropped. Where a policy sends events there that could be judged (`late: quarantine`, `quota`), it has to be named.",
        },
        new()
        {
            Path = "pipelines.*.duplicates",
            Kind = SettingKind.Text,
            Default = "none",
            RangeText = "name of a topic",
            Meaning = "The topic that gets suppressed duplicates.",
            Consequence = "Without it they are dropped and counted.",
        },
        new()
        {
            Path = "pipelines.*.id",
            Kind = SettingKind.Text,
            Default = Required,
            RangeText = RecipeReader.RangeText,
            Meaning = "What makes two records the same event.",
            Consequence =
                "There is no default: a recipe that takes two events for one loses the second.",
        },
        new()
        {
            Path = "pipelines.*.scope",
            Kind = SettingKind.Text,
            Default = "none",
            RangeText =
                "`{ tenant: SOURCE, service: SOURCE, type: SOURCE }`, at least one; a source as in `id`, or `{ value: TEXT }`",
            Meaning = "What an ID is unique within: the same ID in another scope is another event.",
            Consequence =
                "A part that a record does not have counts as empty; with `required: true` such a record is quarantined.",
        },
        new()
        {
            Path = "pipelines.*.id-prefix",
            Kind = SettingKind.Text,
            Default = "dedup",
            RangeText = "text",
            Meaning = "First part of the visible key (header `dedupe-key`).",
            Consequence = "It has no part in what is the same event.",
        },
        new()
        {
            Path = "pipelines.*.fingerprint",
            Kind = SettingKind.Text,
            Default = "none",
            RangeText = "`payload` \\| a list of paths such as `[$.amount, $.currency]`",
            Meaning =
                "What tells a conflict from a duplicate: a hash of it is kept beside each ID.",
            Consequence =
                "The same ID with another fingerprint is a conflict. Eight bytes more for each ID held.",
        },
        new()
        {
            Path = "pipelines.*.conflict",
            Kind = SettingKind.Choice,
            Default = "quarantine",
            Choices = ["quarantine", "duplicate", "clean"],
            Meaning = "What happens to a record with a known ID and another fingerprint.",
            Consequence =
                "quarantine names the first in headers; duplicate lets the first content stand; clean forwards every one of them. All are counted.",
        },
        new()
        {
            Path = "pipelines.*.json",
            Kind = SettingKind.Section,
            Default = "all defaults",
            RangeText = "max-depth, max-bytes",
            Meaning = "Limits on reading JSON payloads.",
            Consequence = "A payload beyond them is quarantined, never a reason to stop.",
        },
        new()
        {
            Path = "pipelines.*.json.max-depth",
            Kind = SettingKind.Count,
            Default = "64",
            Min = 1,
            Max = JsonLimits.MaxMaxDepth,
            Meaning = "Deepest nesting that is read.",
            Consequence = "Deeper payloads go to quarantine as json-too-deep.",
        },
        new()
        {
            Path = "pipelines.*.json.max-bytes",
            Kind = SettingKind.Size,
            Default = "1MiB",
            Min = 1,
            Max = 1 << 30,
            Meaning = "How many bytes of a payload are read as JSON.",
            Consequence =
                "Where the ID has not been found by then, the record goes to quarantine as json-too-large.",
        },
        new()
        {
            Path = "pipelines.*.window",
            Kind = SettingKind.Duration,
            Default = "24h",
            Min = 1000,
            Max = WindowClass.MaxWindowMs,
            Meaning =
                "How far from the first occurrence, by record timestamps, a record with the same ID is a duplicate.",
            Consequence =
                "Longer: more IDs are held (memory, disk, changelog). Shorter: a retry that comes later passes as a first.",
        },
        new()
        {
            Path = "pipelines.*.windows",
            Kind = SettingKind.Text,
            Default = "none",
            RangeText =
                "up to 9 lines `type: DURATION` or `type: { window: DURATION, grace: DURATION }`; `*` in a type stands for any characters, and the longest pattern wins",
            Meaning = "Windows of event types, which `scope.type` gives.",
            Consequence =
                "A type without one of its own has `window`. Up to 3 types change nothing else; more make buckets wider, so that an expired ID is held longer.",
        },
        new()
        {
            Path = "pipelines.*.grace",
            Kind = SettingKind.Duration,
            Default = "the window",
            Min = 0,
            RangeText = "0s to 6 windows",
            Meaning =
                "How far behind the partition's clock a record may arrive and still be judged completely.",
            Consequence =
                "IDs are held for window + grace. A record further behind, with an unknown ID, is late.",
        },
        new()
        {
            Path = "pipelines.*.refresh",
            Kind = SettingKind.Choice,
            Default = "false",
            Choices = ["false", "true"],
            Meaning = "Whether the window counts from the last occurrence instead of the first.",
            Consequence =
                "An ID that keeps coming is never a first again. Each duplicate is remembered, beside its first.",
        },
        new()
        {
            Path = "pipelines.*.time",
            Kind = SettingKind.Text,
            Default = "event",
            RangeText =
                "`event` (the record's timestamp) \\| `append` (the same, and the topic must have LogAppendTime) \\| `{ payload: $.path }`, with `unit: s` where numbers are seconds",
            Meaning =
                "Which time windows, clocks, and lateness go by. What is sent on keeps the record's timestamp.",
            Consequence =
                "payload: a record without a readable time is quarantined. append: a retry counts from when the broker got it, so nothing is ever late.",
        },
        new()
        {
            Path = "pipelines.*.max-future",
            Kind = SettingKind.Duration,
            Default = "1h, at most a quarter of the window",
            Min = 0,
            RangeText = "0s to a quarter of the window",
            Meaning = "How far ahead of the wall clock a record's timestamp may be.",
            Consequence =
                "Beyond it a record is quarantined: one bad timestamp must not expire what is remembered.",
        },
        new()
        {
            Path = "pipelines.*.late",
            Kind = SettingKind.Choice,
            Default = "forward",
            Choices = ["forward", "quarantine", "drop"],
            Meaning =
                "What happens to late records: those of which state can no longer tell whether they are firsts.",
            Consequence =
                "forward may let a very late duplicate through; drop may lose a very late first. All are counted.",
        },
        new()
        {
            Path = "pipelines.*.mode",
            Kind = SettingKind.Text,
            Default = "enforce",
            RangeText = "`enforce` \\| `shadow` \\| `off` \\| `{ percent: 1 to 99 }`",
            Meaning = "How much of the judging takes effect.",
            Consequence =
                "shadow judges, counts, and remembers as enforce does, and forwards everything; `{ percent: N }` enforces for the IDs whose hash falls into N %; off judges and remembers nothing. A change by restart loses no state.",
        },
        new()
        {
            Path = "pipelines.*.headers",
            Kind = SettingKind.Text,
            Default = "none",
            RangeText = "`standard` \\| `verdict` \\| `[standard, verdict]`",
            Meaning = "Headers that are added to clean records.",
            Consequence =
                "standard: tenant-id, dedupe-key, event-id, event-topic, event-created-at, retry-count, processing-attempt, each unless the record has it. verdict: dedup.verdict. Without it clean records are unchanged.",
        },
        new()
        {
            Path = "pipelines.*.start",
            Kind = SettingKind.Text,
            Default = "earliest",
            RangeText = "earliest \\| latest \\| a time such as 2026-01-31T12:00:00Z",
            Meaning =
                "Where a partition begins at the very first run. Later runs go on where they stopped.",
            Consequence = "What lies before it is never read.",
        },
        new()
        {
            Path = "pipelines.*.partitioning",
            Kind = SettingKind.Choice,
            Default = "by-input with `id: key`, else required",
            Choices = ["by-input", "by-id"],
            Meaning =
                "Where duplicates are looked for: by-input judges a record in the partition where it arrived; by-id re-keys the input by event ID first, so that duplicates are found wherever they arrive.",
            Consequence =
                "by-input: right whenever an ID always arrives in the same partition (a producer that retries with the same key). by-id: about twice the cost, two commits of latency, order per original key is not kept.",
        },
        new()
        {
            Path = "pipelines.*.repartition",
            Kind = SettingKind.Section,
            Default = "all defaults",
            RangeText = "partitions",
            Meaning = "With by-id: the internal topic between the hops, `dedup-NAME-repartition`.",
            Consequence = "Without by-id it is not used.",
        },
        new()
        {
            Path = "pipelines.*.repartition.partitions",
            Kind = SettingKind.Count,
            Default = "as many as the input has",
            Min = 1,
            Max = 10_000,
            Meaning = "Partitions of the repartition topic and of the changelog.",
            Consequence =
                "Fixed with the state: another number would look for IDs where they are not.",
        },
        new()
        {
            Path = "pipelines.*.idle-timeout",
            Kind = SettingKind.Duration,
            Default = "5m",
            Min = 1_000,
            Max = WindowClass.MaxWindowMs,
            Meaning =
                "With by-id: how long an input partition may send nothing while others do, before what is remembered is no longer kept for it.",
            Consequence =
                "Longer: one silent partition keeps IDs of all from expiring for that long. Shorter: one that comes back further behind than grace has late records.",
        },
        .. QuotaReader.Settings,
        .. ValidationReader.Settings,
    ];

    /// <summary>All settings.</summary>
    public static IEnumerable<Setting> All => Process.Concat(Pipeline);

    /// <summary>The setting at a path.</summary>
    public static Setting Get(string path) =>
        All.FirstOrDefault(s => s.Path == path)
        ?? throw new ArgumentException($"no setting {path}", nameof(path));

    /// <summary>Names that the design knows and this version does not, with what they would do; refused, never ignored.</summary>
    public static IReadOnlyDictionary<string, string> Planned { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["canonical"] = "other canonical forms",
            ["on-missing"] = "content recipes",
        };
}
