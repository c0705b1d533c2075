using System.Text.RegularExpressions;
using Shouldly;

namespace Dedup.Host.Tests.Layers;

/// <summary>Rules of style.md that a compiler does not know.</summary>
public sealed partial class SourceRuleTests
{
    // style.md says about 400; the rest is room for the formatter.
    private const int MaxLines = 450;

    private static readonly string[] AllFolders = ["src", "tests", "bench"];

    [Fact]
    public void No_source_file_is_longer_than_one_idea() =>
        AllFolders
            .SelectMany(Repository.Sources)
            .Select(file => (File: file, Lines: File.ReadLines(Repository.PathOf(file)).Count()))
            .Where(found => found.Lines > MaxLines)
            .ShouldBeEmpty($"more than {MaxLines} lines: look for the idea that wants out");

    [Fact]
    public void Pointers_stay_in_the_native_folders() =>
        Offences(
                Repository.Sources("src").Where(file => !file.Split('/').Contains("Native")),
                PointerPattern
            )
            .ShouldBeEmpty("`unsafe` and pointers belong into a Native/ folder");

    [Fact]
    public void The_core_knows_no_clock_no_chance_no_sleep_no_environment_and_no_files() =>
        Offences(
                Repository.Sources("src/Contracts").Concat(Repository.Sources("src/DedupTopology")),
                OutsideWorldPattern
            )
            .ShouldBeEmpty(
                "Contracts and DedupTopology are pure: pass it in (TimeProvider, a port, an argument)"
            );

    [Theory]
    [InlineData("long now = DateTime.UtcNow.Ticks;")]
    [InlineData("var watch = Stopwatch.StartNew();")]
    [InlineData("Thread.Sleep(1);")]
    [InlineData("string? home = Environment.GetEnvironmentVariable(\"HOME\");")]
    [InlineData("File.ReadAllText(path);")]
    [InlineData("var id = Guid.NewGuid();")]
    [InlineData("RandomNumberGenerator.Fill(key);")]
    public void The_pattern_finds_what_it_looks_for(string code) =>
        OutsideWorldPattern.IsMatch(code).ShouldBeTrue();

    [Theory]
    [InlineData("public unsafe struct Batch", true)]
    [InlineData("private byte* _key;", true)]
    [InlineData("void** list = null;", true)]
    [InlineData("long area = width * height;", false)]
    [InlineData("int x = byteCount*2;", false)]
    public void The_pointer_pattern_finds_what_it_looks_for(string code, bool found) =>
        PointerPattern.IsMatch(code).ShouldBe(found);

    /// <summary>file:line: code, for every line of code (not comment) that matches.</summary>
    private static IEnumerable<string> Offences(IEnumerable<string> files, Regex pattern) =>
        from file in files
        from line in File.ReadLines(Repository.PathOf(file))
            .Select((text, i) => (Number: i + 1, Code: CodeOf(text)))
        where pattern.IsMatch(line.Code)
        select $"{file}:{line.Number}: {line.Code.Trim()}";

    // Not a parser: a string that holds // loses its end, a block comment counts as code. Either shows as a finding, not as a miss worth having.
    private static string CodeOf(string line)
    {
        string withoutStrings = StringPattern.Replace(line, "\"\"");
        int comment = withoutStrings.IndexOf("//", StringComparison.Ordinal);
        return comment < 0 ? withoutStrings : withoutStrings[..comment];
    }

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex StringPattern { get; }

    [GeneratedRegex(
        @"\bunsafe\b|\b(void|s?byte|char|u?short|u?int|u?long|nu?int|float|double)\*+(\s|\)|>|,)"
    )]
    private static partial Regex PointerPattern { get; }

    [GeneratedRegex(
        @"\b(DateTime(Offset)?\.(Utc)?(Now|Today)|Stopwatch|Random\b|RandomNumberGenerator|Thread\.Sleep|Task\.Delay|Environment\.(?!NewLine)|File\.|FileStream|Directory\.|Guid\.(NewGuid|CreateVersion7)|TimeProvider\.System|Console\.)"
    )]
    private static partial Regex OutsideWorldPattern { get; }
}
