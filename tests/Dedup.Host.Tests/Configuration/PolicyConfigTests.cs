using Dedup.Host.Configuration;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Windows;

namespace Dedup.Host.Tests.Configuration;

/// <summary>Windows by type and policies: what they are read as, and every mistake and contradiction with line and fix.</summary>
public sealed class PolicyConfigTests
{
    private const string Scope = "scope: { type: { header: event-type } }\n";

    [Fact]
    public void Windows_by_type_stand_behind_the_default_in_the_order_of_writing_with_their_own_grace()
    {
        PipelineSpec spec = Load.Pipeline(
            Scope
                + "window: 2d\nwindows:\n  order.created: 7d\n  \"heartbeat*\": { window: 5m, grace: 10m }"
        );
        spec.Windows.Select(static w => (w.Id, w.Name, w.WindowMs, w.GraceMs))
            .ShouldBe([
                (0, "", 172_800_000, 172_800_000),
                (1, "order.created", 604_800_000, 604_800_000),
                (2, "heartbeat*", 300_000, 600_000),
            ]);
        spec.Windows.ShouldAllBe(static w =>
            w.BucketWidthMs == ((w.RetentionMs + 6) / WindowClass.BucketsPerRetention)
        );
        spec.MaxFutureOf(0).ShouldBe(3_600_000);
        spec.MaxFutureOf(2).ShouldBe(75_000);
    }

    [Fact]
    public void Many_types_share_the_buckets_of_a_pipeline()
    {
        string types = string.Concat(Enumerable.Range(0, 9).Select(static i => $"\n  t{i}: 1h"));
        PipelineSpec spec = Load.Pipeline(Scope + "windows:" + types);
        spec.Windows.Length.ShouldBe(WindowClass.MaxClasses);
        // Live expiries span window + grace, which touch one bucket more than they are cut into.
        long live = spec.Windows.Sum(static w =>
            ((w.RetentionMs + w.BucketWidthMs - 1) / w.BucketWidthMs) + 1
        );
        live.ShouldBeLessThanOrEqualTo(WindowClass.MaxLiveBuckets);
    }

    [Fact]
    public void A_grace_for_all_holds_for_types_too() =>
        Load.Pipeline(Scope + "grace: 1h\nwindows: { a: 2h }")
            .Windows[1]
            .GraceMs.ShouldBe(3_600_000);

    [Fact]
    public void Every_policy_is_read_and_has_its_default()
    {
        PipelineSpec none = Load.Pipeline("window: 24h");
        none.Refresh.ShouldBeFalse();
        none.Conflict.ShouldBe(ConflictPolicy.Quarantine);
        none.Time.ShouldBe(TimeRule.Event);
        none.Mode.ShouldBe(new PipelineMode(ModeKind.Enforce));
        none.Headers.ShouldBe(HeaderSets.None);
        PipelineSpec all = Load.Pipeline(
            "refresh: true\nfingerprint: [$.amount]\nconflict: clean\ntime: { payload: $.at, unit: s }\nmode: { percent: 10 }\nheaders: [standard, verdict]\nid-prefix: shop"
        );
        all.Refresh.ShouldBeTrue();
        all.Recipe.Fingerprint!.Text.ShouldBe("[$.amount]");
        all.Recipe.Prefix.ShouldBe("shop");
        all.Conflict.ShouldBe(ConflictPolicy.Clean);
        all.Time.Payload!.Path.Text.ShouldBe("$.at");
        all.Time.Payload.UnitMs.ShouldBe(1000);
        all.Mode.ShouldBe(new PipelineMode(ModeKind.Percent, 10));
        all.Headers.ShouldBe(HeaderSets.Standard | HeaderSets.Verdict);
        Load.Pipeline("mode: shadow").Mode.Kind.ShouldBe(ModeKind.Shadow);
        Load.Pipeline("mode: off").Mode.Kind.ShouldBe(ModeKind.Off);
        Load.Pipeline("headers: verdict").Headers.ShouldBe(HeaderSets.Verdict);
        Load.Pipeline("time: append").Time.IsAppend.ShouldBeTrue();
    }

    [Theory]
    [InlineData("windows: { a: 1h }", 8, "nothing says what type a record has", "scope: { type:")]
    [InlineData(Scope + "windows: 7d", 9, "is '7d'", "'type: window' lines")]
    [InlineData(Scope + "windows: {}", 9, "is empty", "'type: window' lines")]
    [InlineData(Scope + "windows:\n  a: 7", 10, "the window of 'a' is '7'", "a number with a unit")]
    [InlineData(Scope + "windows:\n  a: 1ms", 10, "no duration from 1s to 3660d", "24h")]
    [InlineData(Scope + "windows:\n  a: { grace: 1h }", 10, "has no window", "24h")]
    [InlineData(
        Scope + "windows:\n  a: { windw: 1h }",
        10,
        "'windw' is not a setting",
        "'window'?"
    )]
    [InlineData(Scope + "windows:\n  \"*\": 1h", 10, "is no type", "a pattern with '*' in quotes")]
    [InlineData(
        Scope + "grace: 1h\nwindows:\n  a: 5m",
        9,
        "more than 6 windows of 5m for the type 'a'",
        "give the type its own"
    )]
    [InlineData(
        Scope + "windows: { a: 1h, b: 1h, c: 1h, d: 1h, e: 1h, f: 1h, g: 1h, h: 1h, i: 1h, j: 1h }",
        9,
        "has 10 types, more than 9",
        "take types of one window together"
    )]
    [InlineData(
        Scope
            + "grace: 72h\nwindows: { a: 2d, b: 2d, c: 2d, d: 2d, e: 2d, f: 2d, g: 2d, h: 2d, i: 2d }",
        9,
        "more than the window of 24h (with 9 types in 'windows')",
        "write at most 24h"
    )]
    [InlineData("refresh: yes", 8, "which is not one of false, true", "write one of them")]
    [InlineData("conflict: clean", 8, "there is no fingerprint", "fingerprint: payload")]
    [InlineData(
        "fingerprint: payload\nconflict: drop",
        9,
        "not one of quarantine, duplicate, clean",
        "quarantine"
    )]
    [InlineData("time: apend", 8, "not one of event, append", "write 'append'")]
    [InlineData("time: { payload: occurred }", 8, "which is no path", "$")]
    [InlineData("time: { payload: $.a, unit: min }", 8, "time.unit' is 'min'", "ms or s")]
    [InlineData("mode: shadw", 8, "not one of enforce, shadow, off", "write 'shadow'")]
    [InlineData("mode: { percent: 120 }", 8, "mode.percent' is '120', out of its range", "1 to 99")]
    [InlineData("mode: { percent: 0 }", 8, "out of its range", "mode: shadow")]
    [InlineData("percent: 10", 8, "'percent' is not a setting", "mode: { percent: N }")]
    [InlineData("headers: standart", 8, "not one of standard, verdict", "write 'standard'")]
    [InlineData("headers: [standard, all]", 8, "is 'all'", "write one of them")]
    [InlineData("mode: off\nheaders: verdict", 9, "nothing is judged", "mode: shadow")]
    public void A_mistake_is_said_with_its_line_and_what_to_write(
        string lines,
        int line,
        string what,
        string fix
    )
    {
        ConfigResult result = Load.Text(Load.WithPipelineLines(lines));
        result.Findings.ShouldSay($"dedup.yaml:{line}", what, fix);
        result.Config.ShouldBeNull();
    }

    [Fact]
    public void Refresh_with_nothing_but_time_buckets_is_a_contradiction() =>
        Load.Text(
                Load.WithPipelineLines("refresh: true\npartitioning: by-input")
                    .Replace("id: key", "id: { content: { bucket: 1s } }", StringComparison.Ordinal)
            )
            .Findings.ShouldSay("dedup.yaml:8", "has no effect", "take 'bucket' out");
}
