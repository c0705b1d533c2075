using System.Text;
using Dedup.Host.Configuration;

namespace Dedup.Host.Tests.Configuration;

/// <summary>Whatever the text: findings, never an exception, and a configuration only without errors.</summary>
public sealed class FuzzTests
{
    private const int Rounds = 4000;

    private static readonly string[] Pieces =
    [
        "kafka:",
        "pipelines:",
        "  orders:",
        "    input: ",
        "    id: ",
        "key",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "\n",
        "  ",
        "- ",
        "&a ",
        "*a ",
        "${X",
        "${X}",
        "}",
        "$",
        "'",
        "\"",
        "!!str ",
        "!x ",
        "| ",
        "> ",
        "? ",
        "%YAML 1.2\n",
        "---\n",
        "...\n",
        "24h",
        "512MiB",
        "\t",
        "#",
        "<<: ",
        "header",
        "json",
        "$.a",
        "\u0000",
        "é",
        "\\",
    ];

    [Fact]
    public void Random_texts_never_throw()
    {
        var random = new Random(20261121);
        for (int i = 0; i < Rounds; i++)
        {
            var text = new StringBuilder();
            for (int n = random.Next(30); n > 0; n--)
            {
                text.Append(Pieces[random.Next(Pieces.Length)]);
            }

            Check(text.ToString(), i);
        }
    }

    [Fact]
    public void Random_damage_to_a_good_file_never_throws()
    {
        var random = new Random(4);
        for (int i = 0; i < Rounds; i++)
        {
            char[] text = Load.WithPipelineLines("window: 24h\ngrace: 1h\nstart: latest")
                .ToCharArray();
            for (int n = random.Next(1, 6); n > 0; n--)
            {
                text[random.Next(text.Length)] = (char)random.Next(0, 256);
            }

            Check(new string(text), i);
        }
    }

    [Fact]
    public void Random_bytes_of_a_file_never_throw()
    {
        string path = Path.GetTempFileName();
        try
        {
            var random = new Random(7);
            for (int i = 0; i < 200; i++)
            {
                byte[] bytes = new byte[random.Next(200)];
                random.NextBytes(bytes);
                File.WriteAllBytes(path, bytes);
                ConfigResult result = ConfigLoader.LoadFile(path, static _ => "v");
                result.Config.ShouldBeNull();
                result.Findings.ShouldNotBeEmpty();
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Check(string text, int round)
    {
        ConfigResult result;
        try
        {
            result = ConfigLoader.LoadText("f", text, static n => n == "X" ? "value" : "/home");
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"round {round}: {e.Message}\n{text}", e);
        }

        (result.Config is null).ShouldBe(
            result.Findings.Any(static f => f.Severity == Dedup.Host.Guards.Severity.Error)
        );
    }
}
