using System.Text;
using System.Text.RegularExpressions;
using Dedup.Host.Configuration;
using Dedup.Host.Tests.Configuration;
using Dedup.Kafka.Transport;

namespace Dedup.Host.Tests.Docs;

/// <summary>
/// docs/configuration.md says what the code does. Run with DEDUP_WRITE_DOCS=1 to write its tables anew after a change of the
/// code.
/// </summary>
public sealed partial class ConfigurationDocTests
{
    private static readonly string Doc = Repository.PathOf("docs/configuration.md");

    public ConfigurationDocTests()
    {
        if (Environment.GetEnvironmentVariable("DEDUP_WRITE_DOCS") != "1")
        {
            return;
        }

        string text = File.ReadAllText(Doc);
        text = Put(text, "settings: process", Table(SettingTable.Process));
        text = Put(text, "settings: pipeline", Table(SettingTable.Pipeline));
        text = Put(text, "guarded", Guarded());
        File.WriteAllText(Doc, text);
    }

    [Fact]
    public void Every_setting_of_the_code_is_in_the_document_with_the_same_default_and_range()
    {
        Dictionary<string, string[]> rows = Rows();
        foreach (Setting setting in SettingTable.All)
        {
            rows.ShouldContainKey(setting.Path, "docs/configuration.md has no row for it");
            rows[setting.Path]
                .ShouldBe([setting.Meaning, setting.Default, setting.Range, setting.Consequence]);
        }
    }

    [Fact]
    public void Every_setting_of_the_document_is_in_the_code() =>
        Rows().Keys.Except(SettingTable.All.Select(static s => s.Path)).ShouldBeEmpty();

    [Fact]
    public void Every_guarded_property_is_in_the_document_and_the_other_way_round() =>
        File.ReadAllText(Doc).ShouldContain(Guarded());

    [Fact]
    public void Whatever_the_runtime_reserves_is_refused_in_the_configuration() =>
        ClientSettings.Reserved.Keys.Except(GuardedProperties.Names).ShouldBeEmpty();

    [Fact]
    public void Defaults_of_numbers_are_within_their_ranges()
    {
        foreach (
            Setting setting in SettingTable.All.Where(static s =>
                s.Default.Length > 0 && char.IsAsciiDigit(s.Default[0])
            )
        )
        {
            long value = setting.Kind switch
            {
                SettingKind.Duration
                    when Quantities.TryDuration(setting.Default.Split(',')[0], out long ms) => ms,
                SettingKind.Size when Quantities.TrySize(setting.Default, out long bytes) => bytes,
                SettingKind.Count when Quantities.TryCount(setting.Default, out long count) =>
                    count,
                _ => throw new InvalidOperationException(
                    $"the default of {setting.Path} cannot be read"
                ),
            };
            value.ShouldBeInRange(setting.Min, setting.Max, setting.Path);
        }
    }

    [Fact]
    public void The_examples_of_the_document_are_good_configurations()
    {
        string[] examples =
        [
            .. YamlPattern.Matches(File.ReadAllText(Doc)).Select(static m => m.Groups[1].Value),
        ];
        examples.Length.ShouldBe(2);
        Load.Good(examples[0]);
        Load.Good(
            Load.Minimal.Replace(
                "    id: key",
                string.Join('\n', examples[1].TrimEnd().Split('\n').Select(static l => "    " + l)),
                StringComparison.Ordinal
            )
        );
    }

    // | `path` | meaning | default | range | consequence |
    private static Dictionary<string, string[]> Rows() =>
        File.ReadLines(Doc)
            .Select(static line => CellPattern.Split(line))
            .Where(static cells => cells.Length == 7 && cells[1].Trim() is ['`', .., '`'])
            .ToDictionary(
                static cells => cells[1].Trim(' ', '`'),
                static cells => cells[2..6].Select(static c => c.Trim()).ToArray()
            );

    private static string Table(IEnumerable<Setting> settings)
    {
        var text = new StringBuilder(
            "| setting | meaning | default | range | consequence |\n|---|---|---|---|---|\n"
        );
        foreach (Setting s in settings)
        {
            text.Append(
                $"| `{s.Path}` | {s.Meaning} | {s.Default} | {s.Range} | {s.Consequence} |\n"
            );
        }

        return text.ToString();
    }

    private static string Guarded()
    {
        var text = new StringBuilder("| property | why |\n|---|---|\n");
        foreach (
            IGrouping<string, string> reason in GuardedProperties.Names.GroupBy(static n =>
                GuardedProperties.ReasonFor(n)!
            )
        )
        {
            text.Append(
                $"| {string.Join(", ", reason.Select(static n => $"`{n}`"))} | {reason.Key} |\n"
            );
        }

        return text.ToString();
    }

    private static string Put(string text, string mark, string table)
    {
        int start =
            text.IndexOf($"<!-- {mark} -->\n", StringComparison.Ordinal)
            + $"<!-- {mark} -->\n".Length;
        int end = text.IndexOf("<!-- end -->", start, StringComparison.Ordinal);
        return text[..start] + table + text[end..];
    }

    // A bar that is not escaped.
    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex CellPattern { get; }

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlPattern { get; }
}
