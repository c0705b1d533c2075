namespace Dedup.Host.Commands;

/// <summary>What commands use of the world, so that tests can give them another one.</summary>
public sealed record CliContext
{
    /// <summary>Standard output: what was asked for.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Standard error: what went wrong, and progress.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Standard input, opened by the commands that read it.</summary>
    public Func<Stream> In { get; init; } = static () => Stream.Null;

    /// <summary>Whether standard input is a terminal, at which a person would wait.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Reads environment variables.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>Whether standard output is a terminal (colours, bars).</summary>
    public required bool IsTerminal { get; init; }

    /// <summary>Whether standard error is a terminal (progress).</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Whether to use colours: on a terminal, unless NO_COLOR is set (no-color.org).</summary>
    public bool UseColour =>
        IsTerminal
        && string.IsNullOrEmpty(Environment("NO_COLOR"))
        && Environment("TERM") != "dumb";

    /// <summary>The real world.</summary>
    public static CliContext System() =>
        new()
        {
            Out = Console.Out,
            Error = Console.Error,
            In = Console.OpenStandardInput,
            InIsTerminal = !Console.IsInputRedirected,
            Environment = global::System.Environment.GetEnvironmentVariable,
            IsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = !Console.IsErrorRedirected,
        };

    /// <summary>A text in a colour of the terminal (SGR code), or plain.</summary>
    public string Colour(string text, int sgr) => UseColour ? $"\e[{sgr}m{text}\e[0m" : text;
}
